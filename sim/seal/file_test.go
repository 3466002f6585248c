package seal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// folder returns a new folder of mode 0700.
func folder(t testing.TB) string {
	t.Helper()
	f := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(f, 0o700); err != nil {
		t.Fatal(err)
	}
	return f
}

func names(t testing.TB, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var s []string
	for _, e := range entries {
		s = append(s, e.Name())
	}
	return s
}

func mustRead(t testing.TB, path string, s Sealer, want []byte) {
	t.Helper()
	got, err := Read(context.Background(), path, s, testLabel)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%q, %v", got, err)
	}
}

func TestFiles(t *testing.T) {
	ctx := context.Background()
	s := cheapAge(t, "x")
	path := filepath.Join(t.TempDir(), "new", "and deeper", "share")
	if _, err := Read(ctx, path, s, testLabel); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := Create(ctx, path, s, testLabel, testSecret); err != nil {
		t.Fatal(err)
	}
	mustRead(t, path, s, testSecret)
	if runtime.GOOS != "windows" {
		for name, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): fs.ModeDir | 0o700, filepath.Dir(filepath.Dir(path)): fs.ModeDir | 0o700} {
			if info, err := os.Stat(name); err != nil || info.Mode() != want {
				t.Errorf("%s: %v, %v", name, info.Mode(), err)
			}
		}
	}
	if err := Create(ctx, path, s, testLabel, []byte("other")); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	mustRead(t, path, s, testSecret)
	if err := Write(ctx, path, s, testLabel, []byte("other")); err != nil {
		t.Fatal(err)
	}
	mustRead(t, path, s, []byte("other"))
	if err := Write(ctx, path, s, testLabel, nil); !errors.Is(err, ErrSize) {
		t.Error(err)
	}
	mustRead(t, path, s, []byte("other"))
	if got := names(t, filepath.Dir(path)); !slices.Equal(got, []string{"share"}) {
		t.Errorf("left behind: %q", got)
	}
	if _, err := Read(ctx, path, s, "dta 2"); !errors.Is(err, ErrLabel) || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
}

func TestReadIsBounded(t *testing.T) {
	ctx := context.Background()
	f := folder(t)
	path := filepath.Join(f, "long")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 1<<40); err != nil {
		t.Skip("no sparse files here")
	}
	s := clearSealer(t)
	if _, err := Read(ctx, path, s, testLabel); !errors.Is(err, ErrSize) {
		t.Error(err)
	}
	if _, err := Read(ctx, f, s, testLabel); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a folder: %v", err)
	}
	if err := Write(ctx, f, s, testLabel, testSecret); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("over a folder: %v", err)
	}
}

func TestClearFilesOfOthers(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes have no such meaning there")
	}
	ctx := context.Background()
	f := folder(t)
	none, age := clearSealer(t), cheapAge(t, "x")
	for _, s := range []Sealer{none, age} {
		path := filepath.Join(f, "share")
		if err := Write(ctx, path, s, testLabel, testSecret); err != nil {
			t.Fatal(err)
		}
		for _, mode := range []fs.FileMode{0o400, 0o600, 0o640, 0o604, 0o620, 0o610, 0o644, 0o666} {
			if err := os.Chmod(path, mode); err != nil {
				t.Fatal(err)
			}
			_, err := Read(ctx, path, s, testLabel)
			if want := s == none && mode&0o077 != 0; want != errors.Is(err, ErrPermissions) || !want && err != nil {
				t.Errorf("%s, mode %04o: %v", s.Describe(), mode, err)
			}
		}
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, mode := range []fs.FileMode{0o700, 0o755, 0o770, 0o707} {
			if err := os.Chmod(f, mode); err != nil {
				t.Fatal(err)
			}
			_, err := Read(ctx, path, s, testLabel)
			if want := s == none && mode&0o022 != 0; want != errors.Is(err, ErrPermissions) || !want && err != nil {
				t.Errorf("%s, folder of mode %04o: %v", s.Describe(), mode, err)
			}
		}
		if err := os.Chmod(f, 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSymbolicLinkStays(t *testing.T) {
	ctx := context.Background()
	f := folder(t)
	real, link := filepath.Join(f, "real"), filepath.Join(t.TempDir(), "link")
	none, age := clearSealer(t), cheapAge(t, "x")
	if err := Create(ctx, real, none, testLabel, testSecret); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Skip("no symbolic links here")
	}
	if err := Reseal(ctx, testLabel, link, none, age); err != nil {
		t.Fatal(err)
	}
	mustRead(t, real, age, testSecret) // and not a sealed link beside a file in clear
	if err := Create(ctx, link, none, testLabel, testSecret); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	// A link that leads nowhere.
	if err := os.Remove(real); err != nil {
		t.Fatal(err)
	}
	if err := Write(ctx, link, age, testLabel, testSecret); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestCopyAndReseal(t *testing.T) {
	ctx := context.Background()
	f := folder(t)
	path, backup := filepath.Join(f, "share"), filepath.Join(f, "elsewhere", "backup")
	first, second, none := cheapAge(t, "first"), cheapAge(t, "second"), clearSealer(t)
	if err := Create(ctx, path, first, testLabel, testSecret); err != nil {
		t.Fatal(err)
	}
	if err := Copy(ctx, testLabel, path, first, backup, second); err != nil {
		t.Fatal(err)
	}
	mustRead(t, backup, second, testSecret)
	if err := Copy(ctx, testLabel, path, first, backup, second); !errors.Is(err, ErrExists) {
		t.Errorf("a backup over another: %v", err)
	}
	if err := Copy(ctx, testLabel, backup, second, path, first); !errors.Is(err, ErrExists) {
		t.Errorf("a restore over the original: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := Copy(ctx, testLabel, backup, second, path, first); err != nil {
		t.Fatal(err)
	}
	mustRead(t, path, first, testSecret)

	if err := Reseal(ctx, testLabel, path, second, first); !errors.Is(err, ErrWrongPassphrase) {
		t.Error(err)
	}
	if err := Reseal(ctx, "dta 2", path, first, second); !errors.Is(err, ErrLabel) {
		t.Error(err)
	}
	mustRead(t, path, first, testSecret)
	for _, step := range []struct{ from, to Sealer }{{first, second}, {second, none}, {none, first}} {
		if err := Reseal(ctx, testLabel, path, step.from, step.to); err != nil {
			t.Fatal(err)
		}
		mustRead(t, path, step.to, testSecret)
		if _, err := Read(ctx, path, step.from, testLabel); err == nil {
			t.Error("it still opens the old way")
		}
	}
}

// badSealer seals to something that does not open, or opens to something else.
type badSealer struct {
	Sealer
	opens []byte
}

func (s badSealer) Open(context.Context, string, []byte) ([]byte, error) {
	if s.opens == nil {
		return nil, ErrToken
	}
	return bytes.Clone(s.opens), nil
}

func TestResealChecksTheNewSeal(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(folder(t), "share")
	s := cheapAge(t, "x")
	if err := Create(ctx, path, s, testLabel, testSecret); err != nil {
		t.Fatal(err)
	}
	for want, bad := range map[error]Sealer{
		ErrToken:    badSealer{Sealer: clearSealer(t)},
		ErrTampered: badSealer{Sealer: clearSealer(t), opens: []byte("something else")},
	} {
		if err := Reseal(ctx, testLabel, path, s, bad); !errors.Is(err, want) {
			t.Error(err)
		}
		mustRead(t, path, s, testSecret)
	}
}

// steps are the points at which writing can end early.
var steps = []string{"seal", "check", "make", "write", "sync", "close", "name", "sync folder", "end"}

// TestFailureAtEachStep: an error of the operating system at any step leaves
// the old file or the new one, nothing beside it, and is reported.
func TestFailureAtEachStep(t *testing.T) {
	ctx := context.Background()
	failure := errors.New("disk failure")
	old, next := cheapAge(t, "old"), cheapAge(t, "new")
	for _, step := range steps {
		f := folder(t)
		path := filepath.Join(f, "share")
		if err := Create(ctx, path, old, testLabel, testSecret); err != nil {
			t.Fatal(err)
		}
		var order []string
		d := disk{at: func(s string) error {
			order = append(order, s)
			if s == step {
				return failure
			}
			return nil
		}}
		if err := d.reseal(ctx, testLabel, path, old, path, next, true); !errors.Is(err, failure) {
			t.Errorf("%s: %v", step, err)
		}
		if at := slices.Index(steps, step); !slices.Equal(order, steps[:at+1]) {
			t.Errorf("steps taken: %q", order)
		}
		in := old
		if slices.Index(steps, step) > slices.Index(steps, "name") {
			in = next
		}
		mustRead(t, path, in, testSecret)
		if got := names(t, f); !slices.Equal(got, []string{"share"}) {
			t.Errorf("%s: left behind: %q", step, got)
		}
		if err := (disk{at: d.at}).seal(ctx, filepath.Join(f, "second"), old, testLabel, testSecret, false); err == nil && slices.Index(steps, step) > 1 {
			t.Errorf("%s: no error", step)
		}
	}
}

// TestLateName: somebody else makes the file between Create's first look and
// the moment it takes the name.
func TestLateName(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(folder(t), "share")
	s := cheapAge(t, "x")
	d := disk{at: func(step string) error {
		if step == "name" {
			return os.WriteFile(path, []byte("theirs"), 0o600)
		}
		return nil
	}}
	if err := d.seal(ctx, path, s, testLabel, testSecret, false); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "theirs" {
		t.Errorf("%q, %v", b, err)
	}
}

func TestWritersAndReadersTogether(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(folder(t), "share")
	s := cheapAge(t, "x")
	if err := Create(ctx, path, s, testLabel, testSecret); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for j := range 10 {
				if err := Write(ctx, path, s, testLabel, fmt.Appendf(nil, "%s %d %d", testSecret, i, j)); err != nil {
					t.Error(err)
				}
				if got, err := Read(ctx, path, s, testLabel); err != nil || !bytes.HasPrefix(got, testSecret) {
					t.Errorf("%q, %v", got, err)
				}
			}
		})
	}
	group.Wait()
	if got := names(t, filepath.Dir(path)); !slices.Equal(got, []string{"share"}) {
		t.Errorf("left behind: %q", got)
	}
}
