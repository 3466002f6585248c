//go:build unix

package seal

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// Variables that make the test binary a process that reseals a file and kills
// itself on the way.
const (
	killPath = "SEAL_TEST_KILL_PATH"
	killStep = "SEAL_TEST_KILL_STEP"
	killNew  = "SEAL_TEST_KILL_NEW" // a path: do not replace the file, copy it
)

func TestMain(m *testing.M) {
	if path := os.Getenv(killPath); path != "" {
		killed(path)
		os.Exit(1) // it should not have come this far
	}
	os.Exit(m.Run())
}

func killed(path string) {
	old, _ := Parse("age", Options{Passphrase: given("old"), WorkFactor: 1})
	next, _ := Parse("age", Options{Passphrase: given("new"), WorkFactor: 1})
	d := disk{at: func(step string) error {
		if step == os.Getenv(killStep) {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // until the signal is delivered
		}
		return nil
	}}
	if to := os.Getenv(killNew); to != "" {
		d.reseal(context.Background(), testLabel, path, old, to, next, false)
	} else {
		d.reseal(context.Background(), testLabel, path, old, path, next, true)
	}
}

// TestKilledAtEachStep: a process that changes the passphrase, or makes a
// backup, is killed at each of its steps. What is on disk afterwards opens,
// nothing is in clear, and the next attempt succeeds and cleans up.
func TestKilledAtEachStep(t *testing.T) {
	ctx := context.Background()
	old, next := cheapAge(t, "old"), cheapAge(t, "new")
	for _, copying := range []bool{false, true} {
		for i, step := range steps {
			f := folder(t)
			path, to := filepath.Join(f, "share"), filepath.Join(f, "share")
			if err := Create(ctx, path, old, testLabel, testSecret); err != nil {
				t.Fatal(err)
			}
			c := exec.Command(os.Args[0])
			c.Env = append(os.Environ(), killPath+"="+path, killStep+"="+step)
			if copying {
				to = filepath.Join(f, "backup")
				c.Env = append(c.Env, killNew+"="+to)
			}
			if out, err := c.CombinedOutput(); err == nil || c.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("%s: not killed: %v\n%s", step, err, out)
			}
			done := i > slices.Index(steps, "name")
			switch {
			case !copying && done:
				mustRead(t, path, next, testSecret)
			case !copying:
				mustRead(t, path, old, testSecret)
			default:
				mustRead(t, path, old, testSecret)
				if _, err := os.Stat(to); done != (err == nil) {
					t.Errorf("%s: the backup: %v", step, err)
				}
				if done {
					mustRead(t, to, next, testSecret)
				}
			}
			for _, name := range names(t, f) {
				if b, err := os.ReadFile(filepath.Join(f, name)); err != nil || bytes.Contains(b, testSecret) {
					t.Errorf("%s: %s is in clear, or %v", step, name, err)
				}
				if info, err := os.Stat(filepath.Join(f, name)); err != nil || info.Mode() != 0o600 {
					t.Errorf("%s: %s has mode %v, %v", step, name, info.Mode(), err)
				}
			}
			// Half a file is what a kill within the write leaves.
			if err := os.WriteFile(filepath.Join(f, ".share.sealing-123"), []byte("mpin-se"), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{path, to} {
				if err := Write(ctx, name, next, testLabel, testSecret); err != nil {
					t.Fatal(err)
				}
				mustRead(t, name, next, testSecret)
			}
			want := []string{"share"}
			if copying {
				want = []string{"backup", "share"}
			}
			if got := names(t, f); !slices.Equal(got, want) {
				t.Errorf("%s: left behind: %q", step, got)
			}
		}
	}
}
