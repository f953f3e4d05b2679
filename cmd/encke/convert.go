package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"encke/cmd/encke/convert"
)

func convertCommand() *cli.Command {
	return &cli.Command{
		Name:      "convert",
		Usage:     "print the command line that does what an orbited.cfg says",
		UsageText: "encke convert [--from NAME] orbited.cfg",
		Description: `Prints a shell script of one command; comments above it name, by line, what has
another meaning now and what could not be converted. Then the exit status is 1, and the
command is right without it. Nothing of the configuration is run or opened.`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "from", Usage: "the `NAME` of the server: " + strings.Join(convert.Generations, ", "), DefaultText: "orbited2 for Python, else orbited07"},
		},
		Action: func(c *cli.Context) error {
			if c.NArg() != 1 {
				return errors.New("one argument: the configuration (see encke convert --help)")
			}
			name := c.Args().First()
			f, err := os.Open(name)
			if err != nil {
				return err
			}
			defer f.Close()
			file, err := io.ReadAll(io.LimitReader(f, convert.MaxFile+1))
			if err != nil {
				return err
			}
			text, lost, err := convert.Convert(file, c.String("from"))
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if _, err := io.WriteString(c.App.Writer, text); err != nil {
				return err
			}
			if lost > 0 {
				return fmt.Errorf("%s: what is not converted: %d, named in the comments", name, lost)
			}
			return nil
		},
	}
}
