package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"mpin": main})
}

// TestScripts runs the manual: testdata/*.txt are commands and what they
// print.
func TestScripts(t *testing.T) {
	data, err := filepath.Abs(filepath.Join("..", "..", "vectors", "data"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("VECTORS", data)
			return nil
		},
		Condition: func(name string) (bool, error) {
			// [cgo] is true where the program has the blst backend.
			return name == "cgo" && hasBLST(), nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"replace": replace},
	})
}

func hasBLST() bool {
	bs, err := matching("^blst/")
	return err == nil && len(bs) == 1
}

// replace FILE OLD NEW changes the first OLD in a file to NEW.
func replace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace FILE OLD NEW")
	}
	path := ts.MkAbs(args[0])
	b, err := os.ReadFile(path)
	ts.Check(err)
	if !strings.Contains(string(b), args[1]) {
		ts.Fatalf("%s does not contain %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(path, []byte(strings.Replace(string(b), args[1], args[2], 1)), 0o644))
}
