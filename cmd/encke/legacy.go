package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"encke/cmd/encke/app"
)

// legacyFlags are the options of the older protocols.
func legacyFlags() (all []cli.Flag) {
	for _, o := range app.LegacyOptions() {
		env := []string{"ENCKE_" + strings.ToUpper(strings.ReplaceAll(o.Name, "-", "_"))}
		if o.Single {
			all = append(all, &cli.StringFlag{Name: o.Name, Usage: o.Usage, EnvVars: env})
		} else {
			all = append(all, &cli.StringSliceFlag{Name: o.Name, Usage: o.Usage + "; repeatable", EnvVars: env})
		}
	}
	return all
}

// legacyOptions reads the flags.
func legacyOptions(c *cli.Context) map[string][]string {
	all := make(map[string][]string)
	for _, o := range app.LegacyOptions() {
		switch {
		case !o.Single:
			all[o.Name] = words(c.StringSlice(o.Name))
		case c.IsSet(o.Name):
			all[o.Name] = []string{c.String(o.Name)}
		}
	}
	return all
}
