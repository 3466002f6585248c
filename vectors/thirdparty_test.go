package vectors_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mpinlab/backends/all"
	"mpinlab/vectors"
)

// moduleDir finds a module that this one requires.
func moduleDir(t *testing.T, path string) string {
	t.Helper()
	if out, err := exec.Command("go", "mod", "download", path).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", path, err, out)
	}
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", path).Output()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return strings.TrimSpace(string(out))
}

// runAll runs sets on every backend and returns the results by backend.
func runAll(t *testing.T, paths []string) map[string][]vectors.Result {
	t.Helper()
	sets, err := vectors.Load(paths, "")
	if err != nil {
		t.Fatal(err)
	}
	r, err := vectors.Run(context.Background(), sets, vectors.Options{Backends: all.Backends()})
	if err != nil {
		t.Fatal(err)
	}
	by := map[string][]vectors.Result{}
	for _, s := range r.Sets {
		by[s.Backend] = append(by[s.Backend], s)
		if s.Failed > 0 {
			t.Errorf("%s on %s: %+v", filepath.Base(s.File), s.Backend, s.Failures)
		}
	}
	return by
}

// passed demands a number of passed cases on each backend of a curve.
func passed(t *testing.T, by map[string][]vectors.Result, curve string, want int) {
	t.Helper()
	seen := 0
	for id, sets := range by {
		if !strings.HasSuffix(id, "/"+curve) {
			continue
		}
		seen++
		n := 0
		for _, s := range sets {
			n += s.Passed
		}
		if n != want {
			t.Errorf("%s passed %d, not %d", id, n, want)
		}
	}
	if seen == 0 {
		t.Errorf("nothing ran on %s", curve)
	}
}

func TestRFC9380Vectors(t *testing.T) {
	dir := filepath.Join(moduleDir(t, "github.com/cloudflare/circl"), "ecc", "bls12381", "testdata")
	passed(t, runAll(t, []string{dir}), "bls12-381", 10)
}

func TestWycheproofVectors(t *testing.T) {
	dir := filepath.Join(moduleDir(t, "github.com/c2sp/wycheproof"), "testvectors_v1")
	files, err := filepath.Glob(filepath.Join(dir, "bls_*.json"))
	if err != nil || len(files) != 4 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	passed(t, runAll(t, files), "bls12-381", 67+19+13)
}

// TestMilagroVectors runs the files that the JavaScript library of Milagro
// brings along.
func TestMilagroVectors(t *testing.T) {
	dir := filepath.Join("..", ".cache", "npm", "node_modules", "milagro-crypto-js", "testVectors", "mpin")
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%v; run make setup", err)
		}
		t.Skipf("%v; run make setup", err)
	}
	var files []string
	for _, name := range []string{"MPIN_BN254", "MPIN_BN254CX", "MPIN_ONE_PASS_BN254", "MPIN_ONE_PASS_BN254CX"} {
		files = append(files, filepath.Join(dir, name+".json"))
	}
	by := runAll(t, files)
	passed(t, by, "bn254n", 40)
	passed(t, by, "bn254cx", 41)
}
