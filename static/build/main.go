// Command build makes the files of static/dist from the TypeScript sources.
//
//	go run ./static/build                         writes static/dist and prints sizes
//	go run ./static/build -check                  fails if static/dist is not what it would write
//	go run ./static/build -tests DIR -out OUTDIR  bundles DIR/*.test.ts for Node
package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// bundle is one file for browsers.
type bundle struct {
	entry  string // TypeScript source, from the root of the repository
	out    string // what is made of it
	format api.Format
	maps   api.SourceMap
	budget int // largest size after gzip, in bytes
}

var bundles = []bundle{
	{"static/client/src/script.ts", "static/dist/TCPSocket.js", api.FormatIIFE, api.SourceMapLinked, 22 << 10},
	{"static/client/src/module.ts", "static/dist/TCPSocket.mjs", api.FormatESModule, api.SourceMapLinked, 22 << 10},
	{"static/client/src/orbited/script.ts", "static/dist/Orbited.js", api.FormatIIFE, api.SourceMapLinked, 24 << 10},
	// The chat needs packages: npm ci in static/demos.
	{"static/demos/src/index.ts", "static/dist/demo/index.js", api.FormatESModule, api.SourceMapNone, 4 << 10},
	{"static/demos/src/chat/page.ts", "static/dist/demo/chat.js", api.FormatESModule, api.SourceMapNone, 160 << 10},
	{"static/demos/src/console/page.ts", "static/dist/demo/console.js", api.FormatESModule, api.SourceMapNone, 12 << 10},
	{"static/demos/src/irc/page.ts", "static/dist/demo/irc.js", api.FormatESModule, api.SourceMapNone, 12 << 10},
}

// copies are files that go to dist as they are.
var copies = map[string][]string{
	"static/client/TCPSocket.d.ts": {"static/dist/TCPSocket.d.ts", "static/dist/TCPSocket.d.mts"},
}

func main() {
	check := flag.Bool("check", false, "compare with what is there instead of writing")
	tests := flag.String("tests", "", "`folder` whose *.test.ts files to bundle for Node")
	out := flag.String("out", "", "`folder` for the bundled tests")
	flag.Parse()
	var err error
	switch {
	case *tests != "":
		err = buildTests(*tests, *out)
	case *check:
		err = compare()
	default:
		err = write()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

// makeAll returns all files of dist by path.
func makeAll() (map[string][]byte, error) {
	files := make(map[string][]byte)
	for _, b := range bundles {
		made, err := b.build()
		if err != nil {
			return nil, err
		}
		for _, f := range made {
			files[f.path] = f.data
		}
	}
	for from, to := range copies {
		data, err := os.ReadFile(from)
		if err != nil {
			return nil, err
		}
		for _, path := range to {
			files[path] = data
		}
	}
	return files, nil
}

type file struct {
	path string
	data []byte
}

// build returns the bundle and its source map.
func (b bundle) build() ([]file, error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	result := api.Build(api.BuildOptions{
		AbsWorkingDir:     root,
		EntryPoints:       []string{b.entry},
		Outfile:           b.out,
		Bundle:            true,
		Format:            b.format,
		Target:            api.ES2020,
		Platform:          api.PlatformBrowser,
		External:          []string{"../TCPSocket.mjs"}, // demos import the proxy's own
		MinifyWhitespace:  true,
		MinifyIdentifiers: true,
		MinifySyntax:      true,
		Sourcemap:         b.maps,
		Charset:           api.CharsetUTF8,
		LogLevel:          api.LogLevelWarning,
	})
	if len(result.Errors) > 0 {
		return nil, fmt.Errorf("%s: %d errors", b.entry, len(result.Errors))
	}
	var files []file
	for _, f := range result.OutputFiles {
		path, err := filepath.Rel(root, f.Path)
		if err != nil {
			return nil, err
		}
		path = filepath.ToSlash(path)
		files = append(files, file{path, f.Contents})
		if path != b.out {
			continue
		}
		size := gzipped(f.Contents)
		fmt.Printf("%-28s %6d bytes, %6d after gzip (budget %d)\n", path, len(f.Contents), size, b.budget)
		if size > b.budget {
			return nil, fmt.Errorf("%s is over its budget", path)
		}
	}
	return files, nil
}

func gzipped(data []byte) int {
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestCompression) // the level is valid
	w.Write(data)                                           // a Buffer takes everything
	w.Close()
	return out.Len()
}

func write() error {
	files, err := makeAll()
	if err != nil {
		return err
	}
	for path, data := range files {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// compare fails if a file that write would write is there with other content.
func compare() error {
	files, err := makeAll()
	if err != nil {
		return err
	}
	var stale []error
	for path, data := range files {
		have, err := os.ReadFile(path)
		if err != nil {
			stale = append(stale, err)
		} else if !bytes.Equal(have, data) {
			stale = append(stale, fmt.Errorf("%s is stale: run go run ./static/build", path))
		}
	}
	return errors.Join(stale...)
}

// buildTests bundles each test file of dir into one module for Node.
func buildTests(dir, out string) error {
	entries, err := filepath.Glob(filepath.Join(dir, "*.test.ts"))
	if err != nil {
		return err
	}
	if len(entries) == 0 || out == "" {
		return fmt.Errorf("no tests in %q, or no -out", dir)
	}
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	result := api.Build(api.BuildOptions{
		EntryPoints:  entries,
		Outdir:       out,
		OutExtension: map[string]string{".js": ".mjs"},
		Bundle:       true,
		Write:        true,
		Format:       api.FormatESModule,
		Target:       api.ES2022,
		Platform:     api.PlatformNode,
		Sourcemap:    api.SourceMapInline,
		LogLevel:     api.LogLevelWarning,
	})
	if n := len(result.Errors); n > 0 {
		return fmt.Errorf("%s: %d errors", strings.TrimSuffix(dir, "/"), n)
	}
	return nil
}
