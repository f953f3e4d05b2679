package app

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"

	"encke/legacy"
	"encke/static"
)

// reserved are names that folders can not have, like those of the client's files, since
// something of ours is there. Protocols that are switched on add theirs.
var reserved = []string{"session", "healthz", "demo"}

var folderForm = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]*$`)

// checkFolder returns the parts of an entry NAME=DIR.
func checkFolder(entry string) (name, dir string, err error) {
	name, dir, ok := strings.Cut(entry, "=")
	switch {
	case !ok || dir == "":
		return "", "", fmt.Errorf("%q: write NAME=DIR", entry)
	case !folderForm.MatchString(name):
		return "", "", fmt.Errorf("%q: a name is letters, digits, '.', '-' and '_', and begins with no dot", name)
	case slices.Contains(reserved, name) || strings.HasPrefix(name, "TCPSocket."):
		return "", "", fmt.Errorf("%q: /%s/ is the proxy's own", name, name)
	}
	switch info, err := os.Stat(dir); {
	case err != nil:
		return "", "", err
	case !info.IsDir():
		return "", "", fmt.Errorf("%s is not a folder", dir)
	}
	return name, dir, nil
}

// checkFolders returns the folders of the configuration by name. Those of the older
// protocols come first.
func (c *Config) checkFolders(older []legacy.Protocol, bad func(setting string, err error)) map[string]string {
	dirs := make(map[string]string)
	for _, entry := range c.Static {
		name, dir, err := checkFolder(entry)
		bad("--static", err)
		if err != nil {
			continue
		}
		if dirs[name] != "" {
			bad("--static", fmt.Errorf("two folders have the name %q", name))
		}
		dirs[name] = dir
		if taken(older, name) {
			bad("--static", fmt.Errorf("%q: /%s/ belongs to a protocol of --legacy", name, name))
		}
	}
	return dirs
}

// taken reports whether one of the protocols has a path that a folder of this name would have,
// and does not serve that folder itself.
func taken(older []legacy.Protocol, name string) bool {
	found := false
	for _, p := range older {
		if p.Folder == name {
			return false
		}
		found = found || p.Routes["/"+name] != nil || p.Routes["/"+name+"/"] != nil
	}
	return found
}

// openFolders opens the folders that are served.
func (a *App) openFolders(dirs map[string]string) error {
	a.folders = make(map[string]*static.Folder)
	var all error
	for name, dir := range dirs {
		f, err := static.OpenFolder(dir)
		if err != nil {
			all = errors.Join(all, fmt.Errorf("--static: %w", err))
			continue
		}
		a.folders[name] = f
	}
	return all
}

func (a *App) closeFolders() {
	for _, f := range a.folders {
		f.Close()
	}
}

// wireFolders mounts the folders that no protocol serves itself.
func (a *App) wireFolders() {
	for name, f := range a.folders {
		if slices.Contains(a.taken, name) {
			continue
		}
		a.routes.Handle(a.cfg.Prefix+"/"+name, a.paced(a.guard(http.HandlerFunc(notFound))))
		a.Mount("/"+name+"/", f)
	}
}
