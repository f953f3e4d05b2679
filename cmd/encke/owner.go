package main

import (
	"log/slog"
	"os"

	"github.com/urfave/cli/v2"

	"encke/cmd/encke/privilege"
)

func ownerFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "user", Usage: "`NAME` or number to become, started as root, once the addresses are listened on", EnvVars: []string{"ENCKE_USER"}},
		&cli.StringFlag{Name: "group", Usage: "`NAME` or number of the group to become with it", DefaultText: "the user's", EnvVars: []string{"ENCKE_GROUP"}},
	}
}

// owner reads the flags. What it returns is to be called when the process needs root no
// longer; it is nil where nothing was asked for.
func owner(c *cli.Context) (drop func() error, err error) {
	user, group := c.String("user"), c.String("group")
	if user == "" && group == "" {
		return nil, nil
	}
	o, err := privilege.Find(user, group)
	return func() error { return privilege.Drop(o) }, err
}

// warnOfRoot says that the process is root and stays it. That is a warning and no refusal:
// in a container, where make demo runs too, there is often nobody else to be, and root has no
// more there than the container.
func warnOfRoot(log *slog.Logger) {
	if os.Geteuid() == 0 {
		log.Warn("running as root; --user NAME gives that up once the addresses are listened on")
	}
}
