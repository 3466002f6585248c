package bench

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode"
)

// toolchain gives how the program was built, and from what.
func toolchain() []Setting {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = new(debug.BuildInfo)
	}
	return slices.Concat(buildSettings(info), modules(info), commit(info, checkedOut))
}

// buildSettings picks the settings of the build that change its code.
func buildSettings(info *debug.BuildInfo) []Setting {
	s := []Setting{{"go", oneLine(runtime.Version())}}
	cgo := unknown
	for _, b := range info.Settings {
		value := oneLine(b.Value)
		switch {
		case b.Key == "CGO_ENABLED":
			cgo = yesNo(value == "1")
		case value == "":
		case strings.HasPrefix(b.Key, "GO") && b.Key != "GOOS" && b.Key != "GOARCH",
			strings.HasPrefix(b.Key, "CGO_"):
			// GOAMD64, GOEXPERIMENT, CGO_CFLAGS.
			s = append(s, Setting{settingKey(b.Key), value})
		case b.Key == "-race", b.Key == "-msan", b.Key == "-asan", b.Key == "-cover":
			s = append(s, Setting{b.Key[1:], yesNo(value == "true")})
		case b.Key == "-tags", b.Key == "-gcflags", b.Key == "-ldflags", b.Key == "-pgo":
			s = append(s, Setting{"build-" + b.Key[1:], value})
		}
	}
	return append(s, Setting{"cgo", cgo})
}

// settingKey turns "CGO_CFLAGS" into "cgo-cflags".
func settingKey(name string) string {
	return strings.ReplaceAll(strings.ToLower(name), "_", "-")
}

// modules gives the versions of all modules in the program, by their paths.
func modules(info *debug.BuildInfo) []Setting {
	var s []Setting
	for _, m := range info.Deps {
		value := m.Version
		if m.Replace != nil {
			value = m.Replace.Path + "@" + m.Replace.Version
		}
		s = append(s, Setting{"module/" + escapePath(m.Path), orElse(value, unknown)})
	}
	return s
}

// escapePath writes upper-case letters as the module cache does.
func escapePath(path string) string {
	var b strings.Builder
	for _, c := range path {
		if unicode.IsUpper(c) {
			b.WriteByte('!')
			c = unicode.ToLower(c)
		}
		b.WriteRune(c)
	}
	return b.String()
}

// commit gives the commit that the program was built from, and whether the
// files had been modified since. Its source is the "build" information, or
// without that (as with go run) the "checkout" in the working directory, if
// that is one of this module; else all are unknown.
func commit(info *debug.BuildInfo, checkout func(module string) (revision, modified string)) []Setting {
	revision, modified, source := "", "", "build"
	for _, b := range info.Settings {
		switch b.Key {
		case "vcs.revision":
			revision = b.Value
		case "vcs.modified":
			modified = yesNo(b.Value == "true")
		}
	}
	if revision == "" {
		revision, modified = checkout(info.Main.Path)
		source = "checkout"
	}
	if oneLine(revision) == "" {
		revision, modified, source = unknown, unknown, unknown
	}
	return []Setting{
		{"commit", oneLine(revision)},
		{"modified", oneLine(modified)},
		{"commit-source", source},
	}
}

// checkedOut asks git about the working directory, whose checkout must hold
// the module at its top.
func checkedOut(module string) (revision, modified string) {
	top, err := git("rev-parse", "--show-toplevel")
	if err != nil || module == "" {
		return "", ""
	}
	mod, err := os.ReadFile(filepath.Join(top, "go.mod"))
	if err != nil || !slices.Contains(strings.Split(string(mod), "\n"), "module "+module) {
		return "", ""
	}
	revision, err = git("rev-parse", "HEAD")
	if err != nil {
		return "", ""
	}
	status, err := git("status", "--porcelain")
	if err != nil {
		return revision, unknown
	}
	return revision, yesNo(status != "")
}

// git runs a command that only reads.
func git(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "git", append([]string{"--no-optional-locks"}, args...)...).Output()
	return strings.TrimSpace(string(out)), err
}
