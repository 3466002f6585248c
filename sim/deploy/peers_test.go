package deploy

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mpinlab/sim/seal"
)

// missing skips for something that is not installed, and fails in CI.
func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing: run make setup", what)
	}
	t.Skipf("%s is missing: run make setup", what)
}

// moduleRoot is the folder of go.mod.
func moduleRoot(t testing.TB) string {
	t.Helper()
	folder, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder
		}
		up := filepath.Dir(folder)
		if up == folder {
			t.Fatal("no go.mod above the package")
		}
		folder = up
	}
}

// A client of another maker: Node, its cryptography from npm, its order of
// requests from the API's description. It registers, logs in, gets an OTP, logs
// a browser in by access number, is refused and blocked.
func TestNodeClient(t *testing.T) {
	if testing.Short() {
		t.Skip("its cryptography takes 10 s")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "Node")
	}
	root := moduleRoot(t)
	folder := filepath.Join(root, ".cache", "npm", "node_modules", "milagro-crypto-js")
	if _, err := os.Stat(filepath.Join(folder, "package.json")); err != nil {
		missing(t, "milagro-crypto-js")
	}
	script := filepath.Join(root, "sim", "rps", "testdata", "milagro-client.mjs")
	for _, c := range []Config{
		{Suite: "milagro/bn254cx", Backend: "reference/bn254cx"},
		{Suite: "milagro/fp256bn", VerifyByMail: "@example"},
		{Suite: "milagro/fp256bn", DTAs: 3, Threshold: 2},
	} {
		name := strings.ReplaceAll(c.Suite, "/", "-")
		if c.VerifyByMail != "" {
			name += "-mail"
		}
		if c.Threshold > 0 {
			name += "-threshold"
		}
		t.Run(name, func(t *testing.T) {
			d := start(t, c)
			out, err := exec.CommandContext(t.Context(), node, script, folder, d.Ready().RPA, c.Suite).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			steps := 0
			lines := bufio.NewScanner(bytes.NewReader(out))
			for lines.Scan() {
				var line struct {
					Step   string `json:"step"`
					OK     bool   `json:"ok"`
					Needed *bool  `json:"needed"`
					From   string `json:"from"`
				}
				if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
					t.Fatalf("%s: %v", lines.Bytes(), err)
				}
				steps++
				switch {
				case !line.OK:
					t.Errorf("%s", lines.Bytes())
				case line.Step == "activate" && (line.Needed == nil || *line.Needed != (c.VerifyByMail != "")):
					t.Errorf("%s", lines.Bytes())
				case line.Step == "permit" && line.From != "storage" && line.From != "D-TA":
					t.Errorf("%s", lines.Bytes())
				}
			}
			if steps != 16 {
				t.Errorf("%d steps, not 16:\n%s", steps, out)
			}
		})
	}
}

// Master-secret shares under a key in a PKCS#11 token: they open with the PIN
// only, and nothing lies in clear.
func TestSealedInAToken(t *testing.T) {
	if _, err := exec.LookPath("softhsm2-util"); err != nil {
		missing(t, "softhsm2-util")
	}
	module := ""
	for _, path := range []string{
		os.Getenv("SOFTHSM2_MODULE"), "/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so",
		"/usr/lib64/pkcs11/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so", "/opt/homebrew/lib/softhsm/libsofthsm2.so",
	} {
		if _, err := os.Stat(path); path != "" && err == nil {
			module = path
			break
		}
	}
	if module == "" {
		missing(t, "libsofthsm2.so")
	}
	spec := "pkcs11:token=mpin;object=master?module-path=" + module
	if s, err := seal.Parse(spec, seal.Options{}); errors.Is(err, seal.ErrUnavailable) {
		missing(t, fmt.Sprintf("what PKCS#11 needs (%v)", err))
	} else if err != nil {
		t.Fatal(err)
	} else if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	tokens := filepath.Join(folder, "tokens")
	if err := os.Mkdir(tokens, 0o700); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(folder, "softhsm2.conf")
	if err := os.WriteFile(conf, []byte("directories.tokendir = "+tokens+"\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	if out, err := exec.Command("softhsm2-util", "--init-token", "--free", "--label", "mpin", "--so-pin", "314159", "--pin", "271828").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Setenv(seal.PINVariable, "271828")
	data := t.TempDir()
	c := Config{Data: data, Seal: spec, Listen: stretch(t, 10), Store: "bbolt"}
	// Processes, so that each start meets the token anew.
	c.Command = asChild
	run := func() (*Whole, error) { return StartWhole(t.Context(), c) }
	w, err := run()
	if err != nil {
		t.Fatal(err)
	}
	cl := openClient(t, w.Addresses().RPA)
	id := mustEnrol(t, cl)
	mustLogin(t, cl, id, "1234", nil)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, clear := range []string{"app_key", "share"} {
		if files := grep(t, filepath.Join(data, secretsFolder, "dta-1"), clear); len(files) != 0 {
			t.Errorf("%q lies in clear in %v", clear, files)
		}
	}
	refused := func(what, why string) {
		t.Helper()
		w, err := run()
		if err == nil {
			w.Close()
			t.Fatalf("%s: it starts", what)
		}
		if !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, which does not say %q", what, err, why)
		}
	}
	t.Setenv(seal.PINVariable, "")
	refused("no PIN", "no PIN: set pin-source")
	t.Setenv(seal.PINVariable, "161803")
	refused("a wrong PIN", "wrong PIN")
	t.Setenv(seal.PINVariable, "271828")
	files, err := filepath.Glob(filepath.Join(data, secretsFolder, "dta-2", "*"+sealedSuffix))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	good, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	bad := bytes.Clone(good)
	bad[len(bad)-1] ^= 1
	if err := os.WriteFile(files[0], bad, 0o600); err != nil {
		t.Fatal(err)
	}
	refused("a changed byte", "were changed since they were written")
	if err := os.WriteFile(files[0], good, 0o600); err != nil {
		t.Fatal(err)
	}
	w, err = run()
	if err != nil {
		t.Fatal(err)
	}
	mustLogin(t, openClient(t, w.Addresses().RPA), id, "1234", nil)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}
