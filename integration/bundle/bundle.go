// Package bundle makes the npm clients of the folder integration/clients into scripts
// for a page, with Node's net replaced by net.js of that folder.
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
	_, file, _, _ := runtime.Caller(0)
	dir := filepath.Join(filepath.Dir(file), "..", "clients")
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		return nil, errors.New("the npm clients have no node_modules: run sh integration/install.sh")
	}
	all := make(map[string]string)
	for module, to := range aliases {
		all[module] = to
		all["node:"+module] = to
	}
	result := api.Build(api.BuildOptions{
		AbsWorkingDir: dir,
		EntryPoints:   []string{name + ".js"},
		Bundle:        true,
		Write:         false,
		Outdir:        "out", // names the output only
		Format:        api.FormatIIFE,
		Platform:      api.PlatformBrowser,
		Target:        api.ES2022,
		Define:        map[string]string{"global": "globalThis"},
		Inject:        []string{"./globals.js"},
		Alias:         all,
		LogLevel:      api.LogLevelSilent,
	})
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
