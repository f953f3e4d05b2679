// Package bundle makes npm clients into scripts for a page: those of the folder
// integration/clients, with Node's net replaced by net.js of that folder, and those of
// integration/wsclients, which open WebSockets themselves.
package bundle

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/evanw/esbuild/pkg/api"
)

// aliases say what a page gets for the Node modules that the clients import.
var aliases = map[string]string{
	"net":    "./net.js",
	"tls":    "./absent.js",
	"dns":    "./absent.js",
	"crypto": "./absent.js",
	"assert": "./absent.js",
	"os":     "./absent.js",
	"path":   "./absent.js",
	"fs":     "./absent.js",
	"socks":  "./absent.js",
	"stream": "readable-stream",
	"events": "events",
	"buffer": "buffer",
	"util":   "util",
	"url":    "url",
}

// Client bundles NAME.js of integration/clients into one script.
func Client(name string) ([]byte, error) {
	all := make(map[string]string)
	for module, to := range aliases {
		all[module] = to
		all["node:"+module] = to
	}
	return build("clients", name, api.BuildOptions{
		Format: api.FormatIIFE,
		Define: map[string]string{"global": "globalThis"},
		Inject: []string{"./globals.js"},
		Alias:  all,
	})
}

// Module bundles NAME.js of integration/wsclients into one module.
func Module(name string) ([]byte, error) {
	return build("wsclients", name, api.BuildOptions{Format: api.FormatESModule})
}

// build bundles NAME.js of a folder of integration.
func build(folder, name string, options api.BuildOptions) ([]byte, error) {
	dir := Folder(folder)
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		return nil, fmt.Errorf("the npm packages of integration/%s are not there: run sh integration/install.sh", folder)
	}
	options.AbsWorkingDir = dir
	options.EntryPoints = []string{name + ".js"}
	options.Bundle = true
	options.Outdir = "out" // names the output only
	options.Platform = api.PlatformBrowser
	options.Target = api.ES2022
	options.LogLevel = api.LogLevelSilent
	result := api.Build(options)
	var errs []error
	for _, message := range result.Errors {
		where := ""
		if l := message.Location; l != nil {
			where = fmt.Sprintf("%s:%d: ", l.File, l.Line)
		}
		errs = append(errs, fmt.Errorf("bundle %s: %s%s", name, where, message.Text))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return result.OutputFiles[0].Contents, nil
}

// Folder returns the path of a folder of integration.
func Folder(name string) string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", name)
}
