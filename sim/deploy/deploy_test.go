package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"mpinlab/sim/client"
	"mpinlab/sim/seal"
)

// The whole deployment on every suite that is served and two kinds of
// authority: the tests of the roles are with them.
func TestLoginOnEverySuite(t *testing.T) {
	for _, c := range []Config{
		{},
		{Batching: true},
		{DTAs: 3},
		{DTAs: 5, Threshold: 3},
		{Lockout: "any", MaxAttempts: 3},
		{Suite: "rfc9380/bn254"},
		{Suite: "milagro/bls12-381"},
		{Suite: "milagro/fp256bn"},
		{Suite: "milagro/bn254cx", Backend: "reference/bn254cx", DTAs: 3, Threshold: 2},
	} {
		name := strings.ReplaceAll(c.withDefaults().Suite, "/", "-")
		if c.Threshold > 0 {
			name += "-threshold"
		}
		if c.Batching {
			name += "-batching"
		}
		t.Run(name, func(t *testing.T) {
			if testing.Short() && c.Suite != "" {
				t.Skip("the slower suites")
			}
			t.Parallel()
			d := start(t, c)
			loginSuite(t, clientOf(t, d))
			loginSuite(t, clientOf(t, d, func(o *client.Options) { o.WebSocket = true }))
		})
	}
}

// A second start on the data folder continues where the first ended.
func TestRestartKeepsUsers(t *testing.T) {
	data := t.TempDir()
	// At the same addresses, for the client's token belongs to the RPA's.
	c := Config{Data: data, Store: "bbolt", DTAs: 3, Threshold: 2, Listen: stretch(t, 10)}
	d := start(t, c)
	first := clientOf(t, d)
	id := mustEnrol(t, first)
	mustLogin(t, first, id, "1235", client.ErrWrongPIN)
	mustLogin(t, first, id, "1235", client.ErrWrongPIN)
	keys := first.Settings().ShareKeys
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d = start(t, c)
	second := clientOf(t, d)
	if got := second.Settings().ShareKeys; len(got) != 3 || got[0] != keys[0] || got[2] != keys[2] {
		t.Fatalf("share keys %v, were %v", got, keys)
	}
	mustLogin(t, second, id, "1235", client.ErrBlocked) // the third
	other := mustEnrol(t, second)
	mustLogin(t, second, other, "1234", nil)
}

// Roles that are started one by one on one set-up, as on machines of their own,
// find each other.
func TestRolesOneByOne(t *testing.T) {
	c := Config{Data: t.TempDir(), Store: "bbolt", Listen: stretch(t, 10)}
	d := start(t, c)
	id := mustEnrol(t, clientOf(t, d))
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	var last *Deployment
	for _, r := range []struct {
		role  Role
		index int
	}{{RoleAPI, 0}, {RoleDTA, 1}, {RoleDTA, 2}, {RoleProxy, 0}, {RoleRPS, 1}, {RoleRPA, 0}} {
		one := c
		one.Role, one.Index = r.role, r.index
		last = start(t, one)
		if n := last.Nodes(); len(n) != 1 || n[0].Role() != r.role {
			t.Fatalf("%s: %d nodes", r.role, len(n))
		}
	}
	if d.Ready().RPA != last.Ready().RPA {
		t.Fatal(d.Ready(), last.Ready())
	}
	mustLogin(t, clientOf(t, last), id, "1234", nil)
	loginSuite(t, clientOf(t, last))
}

// What cannot run says why, and what to do.
func TestRefusals(t *testing.T) {
	data := t.TempDir()
	d := start(t, Config{Data: data, Store: "bbolt"})
	address := d.Config().Addresses.RPA
	fails := func(name string, c Config, kind error, words ...string) {
		t.Helper()
		if c.Listen == "" {
			c.Listen = "127.0.0.1:0"
		}
		d, err := Start(t.Context(), c)
		if err == nil {
			d.Close()
			t.Errorf("%s: it runs", name)
			return
		}
		if kind != nil && !errors.Is(err, kind) {
			t.Errorf("%s: %v, not of kind %v", name, err, kind)
		}
		for _, w := range words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %v does not say %q", name, err, w)
			}
		}
	}
	fails("the folder is in use", Config{Data: data, Store: "bbolt"}, nil, "another deployment runs on this data folder")
	fails("the port is taken", Config{Data: t.TempDir(), Listen: address}, syscall.EADDRINUSE, "--listen")
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	fails("another suite", Config{Data: data, Suite: "milagro/fp256bn"}, ErrData, "--suite rfc9380/bls12-381", "another --data")
	fails("other D-TAs", Config{Data: data, DTAs: 3}, ErrData, "--dtas 2")
	fails("a threshold", Config{Data: data, Threshold: 2}, ErrData, "--threshold 0")
	fails("another seal", Config{Data: data, Seal: "age"}, seal.ErrKind, "--seal none")
	fails("a role without a set-up", Config{Data: t.TempDir(), Role: RoleDTA, Listen: address}, ErrData, "--role all")
	fails("a role on any port", Config{Data: data, Role: RoleDTA}, ErrConfig, "listen")
	fails("no permits", Config{Data: t.TempDir(), Suite: "miracl-core/fp256bn"}, ErrConfig, "time permits")
	fails("no such suite", Config{Data: t.TempDir(), Suite: "x/y"}, ErrConfig)
	fails("no such backend", Config{Data: t.TempDir(), Backend: "x/y"}, ErrConfig)
	fails("several RPS without Redis", Config{Data: t.TempDir(), RPS: 3}, ErrConfig, "Redis")
	fails("one D-TA", Config{Data: t.TempDir(), DTAs: 1}, ErrConfig)
	fails("threshold above", Config{Data: t.TempDir(), DTAs: 3, Threshold: 4}, ErrConfig)
	fails("no attempts", Config{Data: t.TempDir(), MaxAttempts: -1}, ErrConfig)
	fails("bad expression", Config{Data: t.TempDir(), VerifyByMail: "("}, ErrConfig)
	fails("bad log level", Config{Data: t.TempDir(), LogLevel: "loud"}, ErrConfig)
	fails("bad seal", Config{Data: t.TempDir(), Seal: "wax"}, seal.ErrSpec)
	fails("half of TLS", Config{Data: t.TempDir(), TLSCert: "x"}, ErrConfig)

	// A changed byte in any of the sealed files.
	for _, name := range []string{credentialsFile, filepath.Join("dta-1", d.settings.AppID+sealedSuffix), filepath.Join("dta-2", d.settings.AppID+sealedSuffix)} {
		path := filepath.Join(data, secretsFolder, name)
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		bad := []byte(strings.Clone(string(good)))
		bad[len(bad)-5] ^= 1
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		fails("a changed byte", Config{Data: data, Store: "bbolt"}, seal.ErrTampered, path, "backup")
		if err := os.WriteFile(path, good, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Another D-TA's file in its place.
	one, two := filepath.Join(data, secretsFolder, "dta-1", d.settings.AppID+sealedSuffix), filepath.Join(data, secretsFolder, "dta-2", d.settings.AppID+sealedSuffix)
	good, err := os.ReadFile(one)
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := os.ReadFile(two)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(one, wrong, 0o600); err != nil {
		t.Fatal(err)
	}
	fails("another D-TA's share", Config{Data: data, Store: "bbolt"}, seal.ErrLabel)
	if err := os.WriteFile(one, good, 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, Config{Data: data, Store: "bbolt"})
}

// A set-up that was cut short is begun again.
func TestUnfinishedSetUp(t *testing.T) {
	data := t.TempDir()
	left := filepath.Join(data, unfinished, "dta-1")
	if err := os.MkdirAll(left, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(left, "x.sealed"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := start(t, Config{Data: data})
	if _, err := os.Stat(filepath.Join(data, unfinished)); err == nil {
		t.Fatal("the draft is still there")
	}
	loginSuite(t, clientOf(t, d))
}

func TestSealedUnderAPassphrase(t *testing.T) {
	t.Setenv(seal.PassphraseVariable, "correct horse battery staple")
	data := t.TempDir()
	d := start(t, Config{Data: data, Seal: "age", sealWork: 10})
	key, err := d.vault.credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	loginSuite(t, clientOf(t, d))
	if files := grep(t, data, key.AppKey); len(files) != 0 {
		t.Fatalf("the application's key lies in clear in %v", files)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	t.Setenv(seal.PassphraseVariable, "wrong")
	if _, err := Start(t.Context(), Config{Data: data, Seal: "age", sealWork: 10, Listen: "127.0.0.1:0"}); !errors.Is(err, seal.ErrWrongPassphrase) {
		t.Fatal(err)
	}
	t.Setenv(seal.PassphraseVariable, "")
	if _, err := Start(t.Context(), Config{Data: data, Seal: "age", sealWork: 10, Listen: "127.0.0.1:0"}); !errors.Is(err, seal.ErrNoPassphrase) {
		t.Fatal(err)
	}
	t.Setenv(seal.PassphraseVariable, "correct horse battery staple")
	start(t, Config{Data: data, Seal: "age", sealWork: 10})
}

// A node is killed, started, replaced, in this process.
func TestLocalNode(t *testing.T) {
	d := start(t, Config{Store: "bbolt"})
	c := clientOf(t, d)
	id := mustEnrol(t, c)
	n := d.Node("rps-1")
	if err := n.Start(t.Context()); !errors.Is(err, ErrRunning) {
		t.Fatal(err)
	}
	if err := n.Pause(); !errors.Is(err, ErrUnsupported) {
		t.Fatal(err)
	}
	if err := n.Kill(); err != nil {
		t.Fatal(err)
	}
	if n.PID() != 0 {
		t.Fatal("it is killed and runs")
	}
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := n.Ready(short); !errors.Is(err, ErrNotReady) {
		t.Fatal(err)
	}
	if _, err := net.DialTimeout("tcp", strings.TrimPrefix(n.URL(), "http://"), time.Second); err == nil {
		t.Fatal("it still listens")
	}
	if _, err := c.Login(t.Context(), id, pinOf(t, "1234"), client.LoginOptions{}); !errors.Is(err, client.ErrUnreachable) {
		t.Fatal(err)
	}
	if err := n.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustLogin(t, c, id, "1234", nil)
	if err := n.Replace(t.Context(), func(c *Config) { c.MaxAttempts = 1 }); err != nil {
		t.Fatal(err)
	}
	mustLogin(t, c, id, "1235", client.ErrBlocked)
	if !strings.Contains(string(n.Logs()), `"route":"POST /rps/pass1"`) {
		t.Fatal("the log has no requests in it")
	}
}

// Clients know no more than the RPA's address, and can go without the RPA's
// proxy.
func TestReady(t *testing.T) {
	d := start(t, Config{DTAs: 3})
	r := d.Ready()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var names map[string]any
	if err := json.Unmarshal(b, &names); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ready", "rpa", "rps", "rpsPrivate", "certivox", "dta"} {
		if _, ok := names[name]; !ok {
			t.Errorf("no %s in %s", name, b)
		}
	}
	if len(names) != 6 || len(r.DTA) != 3 {
		t.Errorf("%s", b)
	}
	for _, url := range []string{r.RPA + "/rps/clientSettings", r.RPS + "/rps/clientSettings", r.RPS + "/clientSettings"} {
		if status, body := get(t, url); status != 200 || !strings.Contains(body, `"certivoxURL":"`+r.Certivox+`"`) {
			t.Errorf("%s: %d %s", url, status, body)
		}
	}
	for _, url := range append([]string{r.RPA, r.RPS, r.RPSPrivate, strings.TrimSuffix(r.Certivox, "/")}, r.DTA...) {
		if status, body := get(t, url+"/status"); status != 200 {
			t.Errorf("%s: %d %s", url, status, body)
		}
		if status, body := get(t, url+"/metrics"); status != 200 || !strings.Contains(body, "mpin_requests_total") {
			t.Errorf("%s/metrics: %d %.100s", url, status, body)
		}
	}
}

// Ports count from the one that is asked for.
func TestPortsInOrder(t *testing.T) {
	listen := stretch(t, 10)
	r := start(t, Config{Listen: listen}).Ready()
	_, text, err := net.SplitHostPort(listen)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	for i, url := range []string{r.RPA, r.RPS, r.RPSPrivate, strings.TrimSuffix(r.Certivox, "/")} {
		if want := "http://127.0.0.1:" + strconv.Itoa(port+i); url != want {
			t.Errorf("%s, not %s", url, want)
		}
	}
}

func TestConfigFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mpin.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("suite: milagro/fp256bn\ndtas: 3\nthreshold: 2\nverify-by-mail: '@mail\\.example$'\nmax-attempts: 5\nbatching: true\nremember: 90s\n")
	c := Config{Listen: "127.0.0.1:1234"}
	if err := ReadConfig(file, &c); err != nil {
		t.Fatal(err)
	}
	if c.Suite != "milagro/fp256bn" || c.DTAs != 3 || c.Threshold != 2 || c.VerifyByMail != `@mail\.example$` || c.MaxAttempts != 5 || !c.Batching || c.Remember != 90*time.Second || c.Listen != "127.0.0.1:1234" {
		t.Fatalf("%+v", c)
	}
	for text, want := range map[string]string{
		"suite: a\n\nno-such: 1\n": ":3:", "dtas: many\n": ":1:", "suite: [\n": ":1:", "suite: a\nsuite: b\n": ":2:",
	} {
		write(text)
		err := ReadConfig(file, new(Config))
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), file+want) {
			t.Errorf("%q: %v, not at %s", text, err, want)
		}
	}
	write("# nothing\n")
	if err := ReadConfig(file, &c); err != nil {
		t.Error(err)
	}
	if err := ReadConfig(file+"x", &c); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	// What is written for a process is what it reads.
	c.Addresses = &Addresses{RPA: "a:1", RPS: []string{"b:2"}, RPSPrivate: []string{"c:3"}, DTA: []string{"d:4"}}
	if err := c.write(file); err != nil {
		t.Fatal(err)
	}
	var back Config
	if err := ReadConfig(file, &back); err != nil {
		t.Fatal(err)
	}
	if back.Addresses == nil || back.Addresses.RPA != "a:1" || back.Addresses.DTA[0] != "d:4" || back.Suite != c.Suite || back.Remember != c.Remember {
		t.Fatalf("%+v", back)
	}
}

// A client of another deployment is not let in by this one: a token belongs to
// the D-TAs that issued it.
func TestForeignToken(t *testing.T) {
	one, two := start(t, Config{}), start(t, Config{})
	c1, c2 := clientOf(t, one), clientOf(t, two)
	id := mustEnrol(t, c1)
	b, err := id.Record()
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := client.ReadRecord([]byte(strings.ReplaceAll(string(b), one.Ready().RPA, two.Ready().RPA)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c2.Login(t.Context(), foreign, pinOf(t, "1234"), client.LoginOptions{}); err == nil {
		t.Fatal("a foreign token logs in")
	}
	mustLogin(t, c1, id, "1234", nil)
}

// FuzzConfig: what is no configuration is an error of that kind, and what is one
// can be checked and written.
func FuzzConfig(f *testing.F) {
	for _, s := range []string{
		"", "#", "suite: milagro/fp256bn\ndtas: 3\n", "listen: 0.0.0.0:0\nhost: x\n", "addresses:\n  rpa: 127.0.0.1:1\n  dta: [a, b]\n",
		"suite: [", "a: &a [*a]", "rate: 1e400", "dtas: 99999999999999999999", "? x\n: y", "---\n---\n", "suite: \"\\xff\"",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 4096 {
			return
		}
		var c Config
		if err := decodeConfig("f.yaml", []byte(text), &c); err != nil {
			if !errors.Is(err, ErrConfig) {
				t.Fatalf("%v is not of its kind", err)
			}
			return
		}
		c = c.withDefaults()
		if err := c.check(); err != nil && !errors.Is(err, ErrConfig) {
			t.Fatalf("%v is not of its kind", err)
		}
	})
}

// TestOwnAddresses: where others can connect, this machine's servers reach each
// other from its own addresses, which the RPA must take for the RPS's.
func TestOwnAddresses(t *testing.T) {
	near, err := (&Config{Listen: "127.0.0.1:0"}).ownAddresses()
	if err != nil || !slices.Equal(near, forwarders) {
		t.Errorf("%v %v", near, err)
	}
	own, err := (&Config{Listen: "0.0.0.0:0"}).ownAddresses()
	if err != nil {
		t.Fatal(err)
	}
	list, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range list {
		p := netip.MustParsePrefix(a.String())
		if !slices.ContainsFunc(own, func(o netip.Prefix) bool { return o.Contains(p.Addr()) }) {
			t.Errorf("%s is missing", a)
		}
	}
	for _, p := range own[len(forwarders):] {
		if !p.IsSingleIP() {
			t.Errorf("%s: others are among them", p)
		}
	}
}

// TestNoOperatorThroughAProxy: the API registers applications for programs of
// this machine; whoever comes through a proxy that stands before the proxy is
// none of them.
func TestNoOperatorThroughAProxy(t *testing.T) {
	d := start(t, Config{Store: "memory"})
	at := strings.TrimSuffix(d.Ready().Certivox, "/") + "/applications"
	for _, c := range []struct {
		header string
		want   int
	}{{"X-Forwarded-For", 401}, {"Forwarded", 401}, {"X-None", 200}} {
		if status, body := send(t, "POST", at, `{"name":"x"}`, c.header, "192.0.2.1"); status != c.want {
			t.Errorf("%s: %d %s", c.header, status, body)
		}
	}
}

// TestClosedTwice: what a deployment held is given back once. A descriptor that
// is closed again may be another file's by then.
func TestClosedTwice(t *testing.T) {
	_, release, err := reserve("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	release()
	var files []*os.File // one of them gets the number
	for range 8 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	release()
	for _, f := range files {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}
