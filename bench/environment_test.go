package bench

import (
	"maps"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// values makes a map of settings, and fails for one that cannot be written.
func values(t *testing.T, settings []Setting) map[string]string {
	t.Helper()
	m := make(map[string]string)
	for _, s := range settings {
		if err := s.valid(); err != nil {
			t.Error(err)
		}
		if _, ok := m[s.Key]; ok {
			t.Errorf("%s is there twice", s.Key)
		}
		m[s.Key] = s.Value
	}
	return m
}

func expect(t *testing.T, have, want map[string]string) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if have[key] != want[key] {
			t.Errorf("%s is %q, expected %q", key, have[key], want[key])
		}
	}
}

func TestEnvironment(t *testing.T) {
	env := values(t, Environment(Setting{"note", "quiet"}, Setting{"pkg", "other"}))
	for _, key := range []string{
		"goos", "goarch", "cpu", "cpu-features", "cores", "governor", "turbo", "hypervisor", "memory", "os", "kernel",
		"go", "cgo", "commit", "modified", "commit-source", "date", "load-before",
	} {
		if env[key] == "" {
			t.Errorf("no %s", key)
		}
	}
	expect(t, env, map[string]string{"note": "quiet", "pkg": "other"})
	if date, err := time.Parse(time.RFC3339, env["date"]); err != nil || date.Location() != time.UTC {
		t.Errorf("date %s is not in UTC: %v", env["date"], err)
	}
}

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

func TestMachine(t *testing.T) {
	sys := "sys/devices/system/cpu/"
	t.Run("x86", func(t *testing.T) {
		m := machine(fstest.MapFS{
			"proc/cpuinfo":                            file("processor\t: 0\nmodel name\t: Intel(R) Xeon(R)  CPU @ 2.60GHz\nflags\t\t: fpu hypervisor adx\n\nprocessor\t: 1\nmodel name\t: other\nflags\t\t: fpu\n"),
			"proc/meminfo":                            file("MemTotal:       24684084 kB\nMemFree: 1 kB\n"),
			"proc/sys/kernel/osrelease":               file("6.18.44\n"),
			"etc/os-release":                          file("NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"),
			sys + "cpu0/cpufreq/scaling_governor":     file("performance\n"),
			sys + "intel_pstate/no_turbo":             file("1\n"),
			sys + "cpu0/cpufreq/scaling_max_freq_not": file("x"),
		}, "linux", "amd64")
		if m[0] != (Setting{"goos", "linux"}) || m[3].Key != "cpu" {
			t.Errorf("package testing's keys are not first: %v", m)
		}
		expect(t, values(t, m), map[string]string{
			"goarch": "amd64", "cpu": "Intel(R) Xeon(R) CPU @ 2.60GHz", "hypervisor": "yes", "memory": "24 GiB",
			"kernel": "6.18.44", "os": "Debian GNU/Linux 12 (bookworm)", "governor": "performance", "turbo": "off",
		})
	})
	t.Run("ARM", func(t *testing.T) {
		m := machine(fstest.MapFS{
			"proc/cpuinfo":        file("processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n"),
			"etc/os-release":      file("PRETTY_NAME=Alpine\n"),
			sys + "cpufreq/boost": file("1\n"),
		}, "linux", "arm64")
		expect(t, values(t, m), map[string]string{
			"cpu": "implementer 0x41 part 0xd0c", "hypervisor": "not readable", "memory": "not readable",
			"kernel": orElse(systemInfo("kernel")), "os": "Alpine", "governor": "not readable", "turbo": "on",
		})
	})
	t.Run("nothing", func(t *testing.T) {
		expect(t, values(t, machine(fstest.MapFS{}, "plan9", "386")), map[string]string{
			"cpu": orElse(systemInfo("cpu")), "turbo": "not readable", "memory": "not readable", "hypervisor": "not readable",
		})
	})
	t.Run("odd", func(t *testing.T) {
		values(t, machine(fstest.MapFS{
			"proc/cpuinfo":                        file("model name: a\x00\x1bb\nflags:\n"),
			"proc/meminfo":                        file("MemTotal: lots\n"),
			"proc/sys/kernel/osrelease":           file("\n"),
			sys + "cpu0/cpufreq/scaling_governor": file(strings.Repeat("x", 1<<20)),
		}, "linux", "amd64"))
	})
}

func TestToolchain(t *testing.T) {
	info := &debug.BuildInfo{
		Deps: []*debug.Module{
			{Path: "github.com/consensys/gnark-crypto", Version: "v0.22.0"},
			{Path: "github.com/BurntSushi/toml", Version: "v1.0.0", Replace: &debug.Module{Path: "example.com/Toml", Version: "v2.0.0"}},
			{Path: "example.com/x"},
		},
		Settings: []debug.BuildSetting{
			{Key: "-race", Value: "true"}, {Key: "-ldflags", Value: "-s -w"}, {Key: "-compiler", Value: "gc"},
			{Key: "CGO_ENABLED", Value: "1"}, {Key: "CGO_CFLAGS", Value: "-O3"}, {Key: "CGO_LDFLAGS", Value: ""},
			{Key: "GOARCH", Value: "amd64"}, {Key: "GOAMD64", Value: "v3"},
			{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: "abc"}, {Key: "vcs.modified", Value: "true"},
		},
	}
	s := values(t, slices.Concat(buildSettings(info), modules(info), commit(info, nil)))
	expect(t, s, map[string]string{
		"race": "yes", "build-ldflags": "-s -w", "cgo": "yes", "cgo-cflags": "-O3", "goamd64": "v3",
		"module/github.com/consensys/gnark-crypto": "v0.22.0",
		"module/github.com/!burnt!sushi/toml":      "example.com/Toml@v2.0.0",
		"module/example.com/x":                     "unknown",
		"commit":                                   "abc", "modified": "yes", "commit-source": "build",
		"goarch": "", "cgo-ldflags": "",
	})
}

func TestCommitWithoutStamp(t *testing.T) {
	info := &debug.BuildInfo{Main: debug.Module{Path: "mpinlab"}}
	s := values(t, commit(info, func(module string) (string, string) { return "of " + module, "no" }))
	expect(t, s, map[string]string{"commit": "of mpinlab", "modified": "no", "commit-source": "checkout"})
	s = values(t, commit(info, func(string) (string, string) { return "", "" }))
	expect(t, s, map[string]string{"commit": "unknown", "modified": "unknown", "commit-source": "unknown"})
}

func TestCheckoutOfAnotherModule(t *testing.T) {
	if revision, _ := checkedOut("example.com/another"); revision != "" {
		t.Errorf("took commit %s from a checkout of another module", revision)
	}
	if _, err := os.Stat("../.git"); err != nil {
		t.Skip("not in a checkout")
	}
	if revision, modified := checkedOut("mpinlab"); len(revision) < 40 || modified != "yes" && modified != "no" {
		t.Errorf("in a checkout: commit %q, modified %q", revision, modified)
	}
	t.Chdir(t.TempDir())
	if revision, _ := checkedOut("mpinlab"); revision != "" {
		t.Errorf("outside of a checkout: commit %q", revision)
	}
}
