package load

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestShelf(t *testing.T) {
	list, err := Shelf()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != len(shelfOrder) {
		t.Fatalf("%d scenarios, not %d", len(list), len(shelfOrder))
	}
	files, err := shelf.ReadDir("shelf")
	if err != nil || len(files) != len(list) {
		t.Errorf("%d files and %d scenarios (%v)", len(files), len(list), err)
	}
	for _, s := range list {
		if s.Title == "" || s.Description == "" || len(s.SLOs) == 0 {
			t.Errorf("%s: title, description or promises are missing", s.Name)
		}
		b, err := s.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Read(s.Name, b)
		if err != nil {
			t.Fatalf("%s: what it writes of itself does not read: %v\n%s", s.Name, err, b)
		}
		c, err := again.YAML()
		if err != nil || string(b) != string(c) {
			t.Errorf("%s: written twice it differs (%v)\n%s\n%s", s.Name, err, b, c)
		}
		if err := s.Scale(0.01); err != nil {
			t.Errorf("%s scaled: %v", s.Name, err)
		}
	}
}

// Errors name file, line, key and what is allowed.
func TestErrors(t *testing.T) {
	base := "name: x\nstages:\n  - {kind: constant, rate: 1, duration: 1s}\n"
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "x.yaml:1"},
		{"unknown key", "name: x\nstagse: []\n", `x.yaml:2: unknown key "stagse"; there are name, title, description, deployment`},
		{"unknown inner key", "name: x\ndeployment:\n  suit: a\n", `x.yaml:3: unknown key "suit"; there are external, suite, backend`},
		{"unknown key in a list", "name: x\nstages:\n  - kind: constant\n    rat: 3\n", `x.yaml:4: unknown key "rat"; there are name, kind, duration, rate`},
		{"kind", "name: x\nstages:\n  - kind: constant\n    rate: 1\n    duration: 1s\n  - kind: steady\n    rate: 1\n    duration: 1s\n",
			`x.yaml:6: stages.1.kind: "steady" is none of constant, poisson, ramp, diurnal, spike`},
		{"duration", "name: x\nwarm-up: 5\nstages: []\n", `x.yaml:2: warm-up: "5" is no duration`},
		{"duration's form", "name: x\nwarm-up: soon\n", `is no duration: 500ms, 10s and 2m are`},
		{"share", base + "behaviour:\n  wrong-pins: 150%\n", `is no share: 5% and 0.05 are`},
		{"twice", "name: x\nname: y\n", "x.yaml:2"},
		{"no stages", "name: x\n", "stages: a scenario has at least one"},
		{"no name", "stages:\n  - {kind: constant, rate: 1, duration: 1s}\n", "name: a scenario has a name"},
		{"warm-up", base + "warm-up: 2s\n", "x.yaml:4: warm-up: 2s is not shorter than the stages"},
		{"store", base + "deployment: {store: sqlite}\n", `deployment.store: "sqlite" is none of memory, bbolt, redis`},
		{"remember", base + "deployment: {remember: 5s}\n", "deployment.remember: 5s is not a minute to 30 days"},
		{"node", base + "faults:\n  - {kind: kill, node: dta-3, at: 0s}\n", `x.yaml:5: faults.0.node: "dta-3" is none of all`},
		{"node of processes", base + "deployment: {run: processes}\nfaults:\n  - {kind: kill, node: dta-3, at: 0s}\n", `rpa, proxy, api, dta-1, dta-2, rps-1`},
		{"fault too late", base + "faults:\n  - {kind: restart, node: all, at: 2s}\n", "is not within the stages, which take 1s"},
		{"pause in process", base + "deployment: {run: in-process}\nfaults:\n  - {kind: pause, node: rpa, at: 0s}\n", "run process or processes"},
		{"slo", base + "slos:\n  - {metric: p99, max: 5%}\n", "p99 is a time"},
		{"slo without bound", base + "slos:\n  - {metric: p99}\n", "one of max and min"},
		{"link", base + "deployment: {run: processes}\nfaults:\n  - {kind: cut, between: rps-dta-7, at: 0s}\n", "there is no dta-7 among 2"},
		{"to of a constant", "name: x\nstages:\n  - {kind: constant, rate: 1, duration: 1s, to: 4}\n", "only a ramp has it"},
		{"spike", "name: x\nstages:\n  - {kind: spike, rate: 1, peak: 3, at: 1s, width: 1s, duration: 1s}\n", "is not within the stage"},
		{"nobody", "name: x\nstages:\n  - {kind: constant, rate: 0, duration: 1s}\n", "nobody would arrive"},
		{"external", base + "deployment: {external: localhost}\n", "no http or https address"},
		{"precomputed mix", base + "client: {cost: precomputed}\nmix: {login: 1, sign: 1}\n", "for logins only"},
		{"compare", "name: x\nsaturation: {from: 1, to: 2, probe: 1s, limit: 1s, compare: [slow]}\n", "none of single, batching, rps-N, bad-N"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read("x.yaml", []byte(c.text))
			if !errors.Is(err, ErrScenario) {
				t.Fatalf("%v is no ErrScenario", err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\ndoes not say\n%s", err, c.want)
			}
		})
	}
}

func TestFind(t *testing.T) {
	if _, err := Find("nothing"); !errors.Is(err, ErrScenario) || !strings.Contains(err.Error(), "morning-peak") {
		t.Errorf("%v", err)
	}
	path := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(path, []byte(full), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := Find(path); err != nil || s.Name != "full" {
		t.Errorf("%v, %v", s, err)
	}
}

func TestSet(t *testing.T) {
	s, err := Find("quick")
	if err != nil {
		t.Fatal(err)
	}
	for _, assignment := range []string{"stages.0.rate=7", "deployment.batching=true", "client.timeout=3s", "behaviour.wrong-pins=50%", "slos.1.max=2%"} {
		if err := s.Set(assignment); err != nil {
			t.Errorf("%s: %v", assignment, err)
		}
	}
	if s.Stages[0].Rate != 7 || !s.Deployment.Batching || s.Client.Timeout.D() != 3*time.Second || s.Behaviour.WrongPINs != 0.5 || s.SLOs[1].Max.Number != 0.02 {
		t.Errorf("%+v", s)
	}
	for assignment, want := range map[string]string{
		"stages.9.rate=7": "none of the 3", "nothing=1": "there are name, title", "stages.0.rate": "no key=value", "client.timeout=x": "no duration",
		"client.in-flight=-1": "client.in-flight", "deployment.rps=2": "several RPS need store redis",
	} {
		c, err := Find("quick")
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Set(assignment); !errors.Is(err, ErrScenario) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v does not say %q", assignment, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range shelfOrder {
		b, err := shelf.ReadFile("shelf/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(full))
	f.Add([]byte("name: x\nstages:\n - {kind: diurnal, rate: 1, duration: 1s, curve: [0, 1e9, .nan]}\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Read("x.yaml", b)
		if err != nil {
			if !errors.Is(err, ErrScenario) {
				t.Fatalf("%v is no ErrScenario", err)
			}
			return
		}
		n := 0
		for range arrivals(s.Stages, 1) {
			if n++; n > 1000 {
				break
			}
		}
	})
}
