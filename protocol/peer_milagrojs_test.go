package protocol_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"math"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"mpinlab/backends"
	"mpinlab/protocol"
)

// TestAgreesWithMilagroJS holds the milagro suites against milagro-crypto-js,
// which Node runs, one process a curve.
func TestAgreesWithMilagroJS(t *testing.T) {
	node, folder := findMilagroJS(t)
	for curve, name := range map[backends.Curve]string{
		backends.FP256BN: "FP256BN",
		backends.BN254N:  "BN254",
		backends.BN254CX: "BN254CX",
	} {
		t.Run(curve.String(), func(t *testing.T) {
			t.Parallel()
			process := startMilagroJS(t, node, folder, name)
			field := curve.Params().FieldBytes
			eachBackend(t, protocol.SuiteID{Dialect: protocol.Milagro, Curve: curve}, func(t *testing.T, s *protocol.Suite) {
				agreeMilagro(t, s, 1, func(t testing.TB) jsPeer { return jsPeer{t, process, field} }, nil, []byte("a message"))
			})
			seeded(t, "one pass with a permit leaves U out", func(t *testing.T, rng *rand.Rand) {
				leavesUOut(t, jsPeer{t, process, field}, rng)
			})
		})
	}
}

// leavesUOut records how milagro-crypto-js differs from AMCL: its one-pass
// client gives U_T alone where there is a permit.
func leavesUOut(t *testing.T, p jsPeer, rng *rand.Rand) {
	k, id := draw(p, rng), randomIdentity(rng)
	c := peerClient{id, 1234, p.clientSecret(k, id), 20000, p.permit(k, id, 20000)}
	if m, _, _ := p.onePass(c, draw(p, rng), 1, nil); len(m.U) != 0 || len(m.UT) == 0 {
		t.Errorf("U has %d bytes, U_T %d", len(m.U), len(m.UT))
	}
}

// findMilagroJS returns Node and the folder of the package that .ci/setup
// installs. Without them the test is skipped, but in CI it fails.
func findMilagroJS(t *testing.T) (node, folder string) {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "Node")
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for !exists(filepath.Join(root, "go.mod")) {
		up := filepath.Dir(root)
		if up == root {
			t.Fatal("no go.mod above the package")
		}
		root = up
	}
	folder = filepath.Join(root, ".cache", "npm", "node_modules", "milagro-crypto-js")
	if !exists(filepath.Join(folder, "package.json")) {
		missing(t, "milagro-crypto-js")
	}
	return node, folder
}

// missing skips for something that cannot be used here, and fails in CI.
func missing(tb testing.TB, what string) {
	tb.Helper()
	if os.Getenv("CI") != "" {
		tb.Fatalf("%s is missing: run make setup", what)
	}
	tb.Skipf("%s is missing: run make setup", what)
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// jsProcess is a running testdata/milagro_peer.js, which says what its lines
// are.
type jsProcess struct {
	in  io.Writer
	out *bufio.Reader
}

// startMilagroJS starts a process that ends with the test, or is killed after
// two minutes.
func startMilagroJS(t *testing.T, node, folder, curve string) *jsProcess {
	t.Helper()
	// Looking at the script here makes a cached result stale when it changes.
	script := filepath.Join("testdata", "milagro_peer.js")
	if !exists(script) {
		t.Fatalf("no %s", script)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	cmd := exec.CommandContext(ctx, node, script, folder, curve)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		defer cancel()
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("Node: %v\n%s", err, &stderr)
		}
	})
	return &jsProcess{in, bufio.NewReader(out)}
}

// jsSeed stands for a random generator seeded with these bytes.
type jsSeed []byte

// call calls a function with numbers, byte strings, seeds and nil. A *[]byte
// is read and written: afterwards it holds what the function left there.
func (j *jsProcess) call(t testing.TB, name string, args ...any) (code int, result []byte) {
	t.Helper()
	sent := make([]any, len(args))
	for i, arg := range args {
		switch arg := arg.(type) {
		case []byte:
			if arg != nil {
				sent[i] = hex.EncodeToString(arg)
			}
		case *[]byte:
			sent[i] = hex.EncodeToString(*arg)
		case jsSeed:
			sent[i] = map[string]string{"seed": hex.EncodeToString(arg)}
		default:
			sent[i] = arg
		}
	}
	line, err := json.Marshal(map[string]any{"call": name, "args": sent})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.in.Write(append(line, '\n')); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if line, err = j.out.ReadBytes('\n'); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var answer struct {
		Code  int
		Bytes string
		Args  []any
		Error string
	}
	if err := json.Unmarshal(line, &answer); err != nil {
		t.Fatalf("%s: %v in %s", name, err, line)
	}
	if answer.Error != "" {
		t.Fatalf("%s: %s", name, answer.Error)
	}
	for i, arg := range args {
		if out, ok := arg.(*[]byte); ok {
			*out = must(hex.DecodeString(answer.Args[i].(string)))
		}
	}
	return answer.Code, must(hex.DecodeString(answer.Bytes))
}

// jsPeer calls milagro-crypto-js for one test.
type jsPeer struct {
	t       testing.TB
	process *jsProcess
	field   int // length of the modulus
}

var _ milagroPeer = jsPeer{}

const jsSHA256 = 32

// do calls a function that must return no error code.
func (p jsPeer) do(name string, args ...any) {
	p.t.Helper()
	if code, _ := p.process.call(p.t, name, args...); code != accepted {
		p.t.Fatalf("milagro-crypto-js: %s returned %d", name, code)
	}
}

func (p jsPeer) random(bytes []byte) (k []byte) {
	p.do("RANDOM_GENERATE", jsSeed(bytes), &k)
	return k
}

// greatestPIN is ours where an int holds it; theirs has 53 bits.
func (p jsPeer) greatestPIN() int { return min(math.MaxInt, 999999999999) }

func (p jsPeer) hash(id []byte) []byte {
	_, h := p.process.call(p.t, "HASH_ID", jsSHA256, id)
	return h
}

func (p jsPeer) clientSecret(k, id []byte) (c []byte) {
	p.do("GET_CLIENT_SECRET", k, p.hash(id), &c)
	return c
}

func (p jsPeer) serverSecret(k []byte) (q []byte) {
	p.do("GET_SERVER_SECRET", k, &q)
	return q
}

func (p jsPeer) permit(k, id []byte, date protocol.Date) (c []byte) {
	p.do("GET_CLIENT_PERMIT", jsSHA256, date, k, p.hash(id), &c)
	return c
}

func (p jsPeer) addG1(a, b []byte) (c []byte) {
	p.do("RECOMBINE_G1", a, b, &c)
	return c
}

func (p jsPeer) addG2(a, b []byte) (c []byte) {
	p.do("RECOMBINE_G2", a, b, &c)
	return c
}

func (p jsPeer) token(id []byte, pin int, secret []byte) []byte {
	token := secret
	p.do("EXTRACT_PIN", jsSHA256, id, pin, &token)
	return token
}

func (p jsPeer) pass1(c peerClient, x []byte) (secret []byte, m protocol.Pass1) {
	p.do("CLIENT_1", jsSHA256, c.date, c.id, nil, x, c.pin, c.token, &secret, &m.U, &m.UT, c.permit)
	return secret, m
}

func (p jsPeer) pass2(secret, x, y []byte) []byte {
	v := secret
	p.do("CLIENT_2", x, y, &v)
	return v
}

func (p jsPeer) verify(id, server []byte, tr *protocol.Transcript) int {
	var a, at []byte
	p.process.call(p.t, "SERVER_1", jsSHA256, tr.Date, id, &a, &at)
	u, ut := split(tr)
	code, _ := p.process.call(p.t, "SERVER_2", tr.Date, a, at, tr.Y, server, u, ut, tr.V, nil, nil)
	return code
}

func (p jsPeer) challenge(time int64, u []byte) (y []byte) {
	p.do("GET_Y", jsSHA256, time, u, &y)
	return y
}

func (p jsPeer) prove(c peerClient, x []byte, time int64, message []byte) *protocol.Transcript {
	m, y, v := p.onePass(c, x, time, message)
	return &protocol.Transcript{Date: c.date, U: committed(m, c.date), Y: y, V: v}
}

// onePass leaves the message's argument out where there is none: the function
// fails on null.
func (p jsPeer) onePass(c peerClient, x []byte, time int64, message []byte) (m protocol.Pass1, y, v []byte) {
	args := []any{jsSHA256, c.date, c.id, nil, x, c.pin, c.token, &v, &m.U, &m.UT, c.permit, time, &y}
	if message != nil {
		args = append(args, message)
	}
	p.do("CLIENT", args...)
	return m, y, v
}

func (p jsPeer) verifyOnePass(id, server []byte, tr *protocol.Transcript, time int64, message []byte) int {
	var a, at, y []byte
	u, ut := split(tr)
	args := []any{tr.Date, &a, &at, &y, server, u, ut, tr.V, nil, nil, id, time}
	if message != nil {
		args = append(args, message)
	}
	code, _ := p.process.call(p.t, "SERVER", append([]any{jsSHA256}, args...)...)
	return code
}
