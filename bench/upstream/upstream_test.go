package upstream

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// blstAcceptsIdentity is replaced where blst is there.
var blstAcceptsIdentity = func([]byte) bool { return true }

const npmFolder = "../../.cache/npm/node_modules"

// TestFindings reproduces every finding. A failure means that the library at
// the version in go.mod no longer does what the finding says: take the finding
// off the list, and look whether what this project does about it is still
// needed.
func TestFindings(t *testing.T) {
	for _, f := range Findings() {
		t.Run(f.ID, func(t *testing.T) {
			check := checks[f.ID]
			if check == nil {
				if os.Getenv("CI") != "" {
					t.Fatal("there is nothing here to reproduce it with")
				}
				t.Skip("its library is not here")
			}
			if !check(t) {
				t.Errorf("%s no longer does this: %s", f.Libraries, f.What)
			}
		})
	}
}

// TestChecksHaveFindings looks for checks that nobody runs.
func TestChecksHaveFindings(t *testing.T) {
	known := map[string]bool{}
	anchor := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	for _, f := range Findings() {
		if known[f.ID] || !anchor.MatchString(f.ID) {
			t.Errorf("the id %q is not one, or used twice", f.ID)
		}
		known[f.ID] = true
		if f.Kind != Defect && f.Kind != Trap || len(f.Libraries) == 0 {
			t.Errorf("%s: kind %q, libraries %s", f.ID, f.Kind, f.Libraries)
		}
		for name, text := range map[string]string{"What": f.What, "Consequence": f.Consequence, "Found": f.Found, "Here": f.Here, "Status": f.Status} {
			if text == "" || strings.Contains(text, "  ") {
				t.Errorf("%s: %s is %q", f.ID, name, text)
			}
		}
	}
	for id := range checks {
		if !known[id] {
			t.Errorf("the check %s is of no finding", id)
		}
	}
}

// TestVersions holds the list against what is pinned.
func TestVersions(t *testing.T) {
	mod, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range Findings() {
		for _, l := range f.Libraries {
			if l.NPM {
				continue // by its own test
			}
			if !strings.Contains(string(mod), "\t"+l.Module+" "+l.Version+"\n") {
				t.Errorf("%s: go.mod does not pin %s %s", f.ID, l.Module, l.Version)
			}
		}
	}
}

func init() {
	dir, err := filepath.Abs(filepath.Join(npmFolder, js.Module))
	if err != nil {
		return
	}
	pack, err := os.ReadFile(filepath.Join(dir, "package.json"))
	if err != nil {
		return
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return
	}
	checks["milagro-js-one-pass-leaves-u-out"] = func(t *testing.T) bool {
		var about struct{ Version string }
		if err := json.Unmarshal(pack, &about); err != nil || about.Version != js.Version {
			t.Fatalf("version %q is installed, not %q, %v", about.Version, js.Version, err)
		}
		out, err := exec.CommandContext(t.Context(), node, "-e", onePassScript, dir).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		var lengths struct{ WithDate, Without, UT int }
		if err := json.Unmarshal(out, &lengths); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if lengths.Without == 0 || lengths.UT == 0 {
			t.Fatalf("it wrote %+v", lengths)
		}
		return lengths.WithDate == 0
	}
}

// onePassScript proves with and without a date and prints the lengths of U and
// U_T that came out.
const onePassScript = `
const CTX = require(process.argv[1]);
const c = new CTX('BN254CX'), m = c.MPIN;
const rng = new c.RAND(); rng.seed(32, Array.from({length: 32}, (_, i) => i));
const id = Array.from(Buffer.from('alice@example.org')), sha = m.HASH_TYPE, date = 20000;
const s = [], hash = m.HASH_ID(sha, id);
m.RANDOM_GENERATE(rng, s);
const secret = [], permit = [];
m.GET_CLIENT_SECRET(s, hash, secret);
m.GET_CLIENT_PERMIT(sha, date, s, hash, permit);
function prove(day) {
    const u = [], ut = [], code = m.CLIENT(sha, day, id, rng, [], 0, secret.slice(), [], u, ut, permit, 1700000000, [], undefined);
    if (code !== 0) throw new Error('code ' + code);
    return [u, ut];
}
let [u, ut] = [0, 0], without;
try { [u, ut] = prove(date); [without] = prove(0); } catch (e) { console.error(e); process.exit(1); }
console.log(JSON.stringify({WithDate: u.length, Without: without.length, UT: ut.length}));
`
