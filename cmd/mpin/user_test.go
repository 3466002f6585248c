package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"mpinlab/sim/deploy"
)

// TestUserScripts runs the manual of mpin user against real deployments.
func TestUserScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/user",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("XDG_CONFIG_HOME", e.WorkDir+"/config")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"deployment": deployment, "revoke": revoke, "number": number, "mode": mode,
		},
	})
}

// deployment [SUITE [MAIL]] starts a deployment in this process, which ends with
// the script; $SERVER is where it is.
func deployment(ts *testscript.TestScript, neg bool, args []string) {
	cfg := deploy.Config{Listen: "127.0.0.1:0", Data: ts.MkAbs("data"), Store: "memory"}
	switch {
	case neg || len(args) > 2:
		ts.Fatalf("usage: deployment [SUITE [MAIL]]")
	case len(args) == 2:
		cfg.VerifyByMail = args[1]
		fallthrough
	case len(args) == 1:
		cfg.Suite = args[0]
	}
	d, err := deploy.Start(context.Background(), cfg)
	ts.Check(err)
	ts.Defer(func() { d.Close() })
	ts.Setenv("SERVER", d.Ready().RPA)
}

// revoke USER has the operator revoke a user.
func revoke(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: revoke USER")
	}
	resp, err := http.Post(ts.Getenv("SERVER")+"/admin/revoke", "application/json", strings.NewReader(`{"userId":"`+args[0]+`"}`))
	ts.Check(err)
	defer resp.Body.Close()
	if b, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusOK {
		ts.Fatalf("status %d: %s", resp.StatusCode, b)
	}
}

// number FILE waits for the access number or QR code that a command in the
// background writes there, and sets $CODE.
func number(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: number FILE")
	}
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		b, err := os.ReadFile(ts.MkAbs(args[0]))
		if err != nil {
			continue // not there yet
		}
		line, _, whole := strings.Cut(string(b), "\n")
		if !whole {
			continue
		}
		var r userResult
		ts.Check(json.Unmarshal([]byte(line), &r))
		ts.Setenv("CODE", r.Code)
		return
	}
	ts.Fatalf("no code in %s", args[0])
}

// TestAddress: an identity is found again however its server is typed.
func TestAddress(t *testing.T) {
	for typed, want := range map[string]string{
		"http://127.0.0.1:8080":        "http://127.0.0.1:8080",
		"HTTP://Example.COM/":          "http://example.com",
		"http://example.com:80//":      "http://example.com",
		"https://example.com:443":      "https://example.com",
		"https://example.com:":         "https://example.com",
		"https://example.com:80/MPin/": "https://example.com:80/MPin",
		"http://[2001:DB8::1]:80/":     "http://[2001:db8::1]",
		"http://[2001:db8::1]:8080":    "http://[2001:db8::1]:8080",
		"example.com/":                 "example.com",
		"http://%zz/":                  "http://%zz",
	} {
		f := userFlags{server: typed}
		if got := f.address(); got != want {
			t.Errorf("%s is %s, not %s", typed, got, want)
		}
	}
}

// mode FILE OCTAL checks who may read a file.
func mode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode FILE OCTAL")
	}
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[1] {
		ts.Fatalf("%s has mode %s", args[0], got)
	}
}
