//go:build cgo

package seal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/pkcs11"
)

const testPIN = "271828"

// softHSM is a token of its own for one test.
type softHSM struct {
	module string
	tokens string // the folder that holds it
}

// newSoftHSM makes a token named mpin. Where SoftHSM is missing the test is
// skipped at home and fails in CI.
func newSoftHSM(t testing.TB) *softHSM {
	t.Helper()
	missing := func(what string) {
		t.Helper()
		if os.Getenv("CI") != "" {
			t.Fatal(what + " is missing; .ci/setup installs it")
		}
		t.Skip(what + " is missing: install the package softhsm2")
	}
	if _, err := exec.LookPath("softhsm2-util"); err != nil {
		missing("softhsm2-util")
	}
	h := &softHSM{tokens: filepath.Join(t.TempDir(), "tokens")}
	for _, path := range []string{
		os.Getenv("SOFTHSM2_MODULE"),
		"/usr/lib/softhsm/libsofthsm2.so",
		"/usr/lib64/softhsm/libsofthsm2.so",
		"/usr/lib64/pkcs11/libsofthsm2.so",
		"/usr/local/lib/softhsm/libsofthsm2.so",
		"/opt/homebrew/lib/softhsm/libsofthsm2.so",
	} {
		if _, err := os.Stat(path); path != "" && err == nil {
			h.module = path
			break
		}
	}
	if h.module == "" {
		missing("libsofthsm2.so (SOFTHSM2_MODULE can name it)")
	}
	if err := os.Mkdir(h.tokens, 0o700); err != nil {
		t.Fatal(err)
	}
	configuration := filepath.Join(filepath.Dir(h.tokens), "softhsm2.conf")
	text := fmt.Sprintf("directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = true\n", h.tokens)
	if err := os.WriteFile(configuration, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", configuration)
	t.Setenv(PINVariable, "")
	h.util(t, "--init-token", "--free", "--label", "mpin", "--so-pin", "314159", "--pin", testPIN)
	return h
}

func (h *softHSM) util(t testing.TB, arguments ...string) {
	t.Helper()
	if out, err := exec.Command("softhsm2-util", arguments...).CombinedOutput(); err != nil {
		t.Fatalf("softhsm2-util %s: %v\n%s", arguments[0], err, out)
	}
}

// spec is the URI of the test's key, with more path attributes.
func (h *softHSM) spec(more ...string) string {
	path := strings.Join(append([]string{"pkcs11:token=mpin;object=master"}, more...), ";")
	return path + "?module-path=" + h.module
}

// sealer returns a Sealer that makes its key.
func (h *softHSM) sealer(t testing.TB) *token {
	t.Helper()
	t.Setenv(PINVariable, testPIN)
	return h.open(t, h.spec(), true)
}

func (h *softHSM) open(t testing.TB, spec string, create bool) *token {
	t.Helper()
	s, err := Parse(spec, Options{Create: create})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s.(*token)
}

// direct gives a test a session of its own, as the security officer or another
// program would have.
func (h *softHSM) direct(t *testing.T, s *token, do func(ctx *pkcs11.Ctx, session pkcs11.SessionHandle)) {
	t.Helper()
	if s.connection == nil {
		t.Fatal("not connected")
	}
	ctx := s.module.ctx
	session, err := ctx.OpenSession(s.connection.slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	if err != nil {
		t.Fatal(err)
	}
	defer ctx.CloseSession(session)
	do(ctx, session)
}

func TestPKCS11(t *testing.T) { testSealer(t, newSoftHSM(t).sealer(t), KindPKCS11) }

func TestKeyCannotLeave(t *testing.T) {
	h := newSoftHSM(t)
	s := h.sealer(t)
	mustSeal(t, s, testLabel, testSecret)
	h.direct(t, s, func(ctx *pkcs11.Ctx, session pkcs11.SessionHandle) {
		key := s.connection.key
		if _, err := ctx.GetAttributeValue(session, key, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_VALUE, nil)}); !is(err, pkcs11.CKR_ATTRIBUTE_SENSITIVE) {
			t.Errorf("reading the key: %v", err)
		}
		if err := ctx.SetAttributeValue(session, key, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_EXTRACTABLE, true)}); err == nil {
			t.Error("the key can be made extractable")
		}
		for attribute, want := range map[uint]byte{
			pkcs11.CKA_PRIVATE: 1, pkcs11.CKA_TOKEN: 1, pkcs11.CKA_NEVER_EXTRACTABLE: 1, pkcs11.CKA_ALWAYS_SENSITIVE: 1,
			pkcs11.CKA_WRAP: 0, pkcs11.CKA_UNWRAP: 0, pkcs11.CKA_SIGN: 0, pkcs11.CKA_VERIFY: 0, pkcs11.CKA_DERIVE: 0,
		} {
			got, err := ctx.GetAttributeValue(session, key, []*pkcs11.Attribute{pkcs11.NewAttribute(attribute, nil)})
			if err != nil || !bytes.Equal(got[0].Value, []byte{want}) {
				t.Errorf("attribute %#x: %v, %v", attribute, got, err)
			}
		}
	})
}

func TestKeyIsMadeOnlyWhenAsked(t *testing.T) {
	ctx := context.Background()
	h := newSoftHSM(t)
	t.Setenv(PINVariable, testPIN)
	if _, err := h.open(t, h.spec(), false).Seal(ctx, testLabel, testSecret); !errors.Is(err, ErrNoKey) {
		t.Fatalf("without Create: %v", err)
	}
	sealed := mustSeal(t, h.open(t, h.spec(), true), testLabel, testSecret)
	again := mustSeal(t, h.open(t, h.spec(), true), testLabel, testSecret)
	for _, b := range [][]byte{sealed, again} { // one key, not two
		if got, err := h.open(t, h.spec(), false).Open(ctx, testLabel, b); err != nil || !bytes.Equal(got, testSecret) {
			t.Error(err)
		}
	}
	// Open does not make one: it could not be the right one.
	if _, err := h.open(t, strings.Replace(h.spec(), "master", "other", 1), true).Open(ctx, testLabel, sealed); !errors.Is(err, ErrNoKey) {
		t.Error(err)
	}
	other := h.open(t, strings.Replace(h.spec(), "master", "other", 1), true)
	mustSeal(t, other, testLabel, testSecret)
	if _, err := other.Open(ctx, testLabel, sealed); !errors.Is(err, ErrWrongKey) {
		t.Errorf("under another key: %v", err)
	}
	mustSeal(t, other, testLabel, testSecret) // it connects again after an error
	byID := h.open(t, fmt.Sprintf("pkcs11:token=mpin;type=secret-key;id=%s?module-path=%s", percent(other.connection.keyID), h.module), false)
	if _, err := byID.Seal(ctx, testLabel, testSecret); err != nil {
		t.Errorf("by its id: %v", err)
	}
}

// percent encodes every byte.
func percent(b []byte) string {
	s := ""
	for _, c := range b {
		s += fmt.Sprintf("%%%02x", c)
	}
	return s
}

func TestPINs(t *testing.T) {
	ctx := context.Background()
	h := newSoftHSM(t)
	first := h.sealer(t)
	sealed := mustSeal(t, first, testLabel, testSecret)
	first.Close() // a log-in holds for the process, and no PIN would be checked
	open := func(spec string) error {
		s, err := Parse(spec, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		got, err := s.Open(ctx, testLabel, sealed)
		if err == nil && !bytes.Equal(got, testSecret) {
			t.Error("another secret")
		}
		return err
	}
	t.Setenv(PINVariable, "")
	file := filepath.Join(t.TempDir(), "pin file")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	source := h.spec() + "&pin-source=file:" + strings.ReplaceAll(file, " ", "%20")
	if err := open(source); !errors.Is(err, ErrNoPIN) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	for _, text := range []string{testPIN, testPIN + "\n", testPIN + "\r\n"} {
		write(text)
		if err := open(source); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"", "\n", testPIN + "\n" + testPIN, strings.Repeat("1", maxSecretLine+1), strings.Repeat("1", 1<<20)} {
		write(text)
		if err := open(source); !errors.Is(err, ErrNoPIN) {
			t.Errorf("a file of %d bytes: %v", len(text), err)
		}
	}
	if err := open(h.spec() + "&pin-value=" + testPIN); err != nil {
		t.Errorf("pin-value: %v", err)
	}
	if err := open(h.spec()); !errors.Is(err, ErrNoPIN) {
		t.Errorf("no PIN: %v", err)
	}
	if err := open(h.spec() + "&pin-value=999999"); !errors.Is(err, ErrWrongPIN) || strings.Contains(err.Error(), "999999") {
		t.Errorf("wrong PIN: %v", err)
	}
	if err := open(h.spec() + "&pin-value=1"); !errors.Is(err, ErrWrongPIN) {
		t.Errorf("short PIN: %v", err)
	}
	t.Setenv(PINVariable, testPIN)
	if err := open(h.spec()); err != nil {
		t.Errorf("from the environment: %v", err)
	}

	// A wrong PIN is tried once, and the right one works when it comes.
	write("999999")
	s := h.open(t, source, false)
	for range 20 {
		if _, err := s.Open(ctx, testLabel, sealed); !errors.Is(err, ErrWrongPIN) {
			t.Fatal(err)
		}
	}
	write(testPIN)
	if _, err := s.Open(ctx, testLabel, sealed); err != nil {
		t.Error(err)
	}
}

func TestWarnsOfPINValue(t *testing.T) {
	if _, err := Parse("pkcs11:token=a;object=b?module-path=/c&pin-value=271828", Options{Warn: func(s string) {
		if strings.Contains(s, "271828") {
			t.Error("the PIN is in the warning")
		}
		t.Setenv("WARNED", "yes")
	}}); err != nil || os.Getenv("WARNED") == "" {
		t.Errorf("no warning, or %v", err)
	}
}

func TestMissingParts(t *testing.T) {
	ctx := context.Background()
	h := newSoftHSM(t)
	sealed := mustSeal(t, h.sealer(t), testLabel, testSecret)
	text := filepath.Join(t.TempDir(), "no.so")
	if err := os.WriteFile(text, []byte("not a library"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		spec string
		want error
	}{
		{strings.Replace(h.spec(), "token=mpin", "token=other", 1), ErrNoToken},
		{h.spec("serial=0000"), ErrNoToken},
		{h.spec("manufacturer=nobody"), ErrNoToken},
		{h.spec("model=none"), ErrNoToken},
		{h.spec("id=%00"), ErrNoKey},
		{"pkcs11:token=mpin;object=master?module-path=" + filepath.Join(filepath.Dir(text), "missing.so"), ErrModule},
		{"pkcs11:token=mpin;object=master?module-path=" + text, ErrModule},
	} {
		if _, err := h.open(t, c.spec, false).Open(ctx, testLabel, sealed); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.spec, err)
		}
	}
}

func TestTwoOfOneName(t *testing.T) {
	ctx := context.Background()
	h := newSoftHSM(t)
	h.util(t, "--init-token", "--free", "--label", "mpin", "--so-pin", "314159", "--pin", testPIN)
	t.Setenv(PINVariable, testPIN)
	if _, err := h.open(t, h.spec(), true).Seal(ctx, testLabel, testSecret); !errors.Is(err, ErrAmbiguous) {
		t.Errorf("two tokens: %v", err)
	}
}

// TestUnfitKeys: keys that other programs made and that would not do.
func TestUnfitKeys(t *testing.T) {
	ctx := context.Background()
	h := newSoftHSM(t)
	s := h.sealer(t)
	mustSeal(t, s, testLabel, testSecret)
	for i, c := range []struct {
		what      string
		attribute uint
		value     any
	}{
		{"extractable", pkcs11.CKA_EXTRACTABLE, true},
		{"not sensitive", pkcs11.CKA_SENSITIVE, false},
		{"128 bits", pkcs11.CKA_VALUE_LEN, 16},
		{"not to encrypt", pkcs11.CKA_ENCRYPT, false},
		{"not to decrypt", pkcs11.CKA_DECRYPT, false},
	} {
		name := fmt.Sprint("unfit", i)
		template := []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_LABEL, name)}
		for attribute, value := range map[uint]any{
			pkcs11.CKA_TOKEN: true, pkcs11.CKA_SENSITIVE: true, pkcs11.CKA_EXTRACTABLE: false,
			pkcs11.CKA_ENCRYPT: true, pkcs11.CKA_DECRYPT: true, pkcs11.CKA_VALUE_LEN: 32,
		} {
			if attribute == c.attribute {
				value = c.value
			}
			template = append(template, pkcs11.NewAttribute(attribute, value))
		}
		h.direct(t, s, func(ctx *pkcs11.Ctx, session pkcs11.SessionHandle) {
			for range 1 + i/4 { // the last name has two keys
				if _, err := ctx.GenerateKey(session, []*pkcs11.Mechanism{pkcs11.NewMechanism(pkcs11.CKM_AES_KEY_GEN, nil)}, template); err != nil {
					t.Fatal(err)
				}
			}
		})
		want := ErrUnfitKey
		if i == 4 {
			want = ErrAmbiguous
		}
		if _, err := h.open(t, strings.Replace(h.spec(), "master", name, 1), true).Seal(ctx, testLabel, testSecret); !errors.Is(err, want) {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

// TestComesBack: what happens to a token while the program runs, and that the
// next call after it is in order again works.
func TestComesBack(t *testing.T) {
	ctx := context.Background()
	h := newSoftHSM(t)
	s := h.sealer(t)
	sealed := mustSeal(t, s, testLabel, testSecret)
	works := func(after string) {
		t.Helper()
		got, err := s.Open(ctx, testLabel, sealed)
		if err != nil || !bytes.Equal(got, testSecret) {
			t.Fatalf("after %s: %v", after, err)
		}
	}
	works("sealing")
	s.module.ctx.CloseAllSessions(s.connection.slot)
	works("its session was closed")
	s.module.ctx.Logout(s.connection.session)
	works("it was logged out")
	s.module.ctx.Finalize()
	works("the module was finalised")

	away := h.tokens + "-away"
	if err := os.Rename(h.tokens, away); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(h.tokens, 0o700); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := s.Open(ctx, testLabel, sealed); !errors.Is(err, ErrNoToken) {
			t.Errorf("without the token: %v", err)
		}
	}
	if err := os.Remove(h.tokens); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(away, h.tokens); err != nil {
		t.Fatal(err)
	}
	works("the token came back")

	h.direct(t, s, func(ctx *pkcs11.Ctx, session pkcs11.SessionHandle) {
		if err := ctx.DestroyObject(session, s.connection.key); err != nil {
			t.Fatal(err)
		}
	})
	if _, err := s.Open(ctx, testLabel, sealed); !errors.Is(err, ErrNoKey) {
		t.Errorf("without the key: %v", err)
	}
}

// TestTwoSealersOneToken: D-TAs of one process with keys in one token, which
// come and go while the other works.
func TestTwoSealersOneToken(t *testing.T) {
	ctx := context.Background()
	h := newSoftHSM(t)
	t.Setenv(PINVariable, testPIN)
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for range 5 {
				s, err := Parse(strings.Replace(h.spec(), "master", fmt.Sprint("dta", i%2), 1), Options{Create: true})
				if err != nil {
					t.Error(err)
					return
				}
				sealed, err := s.Seal(ctx, testLabel, testSecret)
				if err != nil {
					t.Error(err)
				} else if got, err := s.Open(ctx, testLabel, sealed); err != nil || !bytes.Equal(got, testSecret) {
					t.Error(err)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				if _, err := s.Open(ctx, testLabel, sealed); sealed != nil && !errors.Is(err, ErrClosed) {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
}

// TestDamagedTokenIsNotTampering: damage in the token must not send anyone to
// the backups of a sealed file that is intact.
func TestDamagedTokenIsNotTampering(t *testing.T) {
	ctx := context.Background()
	for _, pattern := range []string{"token.object", "[!t]*[!n].object"} { // the token's own record; the key
		h := newSoftHSM(t)
		s := h.sealer(t)
		sealed := mustSeal(t, s, testLabel, testSecret)
		objects, err := filepath.Glob(filepath.Join(h.tokens, "*", pattern))
		if err != nil || len(objects) != 1 {
			t.Fatalf("the token has %d files %s", len(objects), pattern)
		}
		if err := os.WriteFile(objects[0], []byte("damaged beyond all use"), 0o600); err != nil {
			t.Fatal(err)
		}
		s.Close() // SoftHSM keeps what it has read
		s = h.open(t, h.spec(), false)
		if _, err := s.Open(ctx, testLabel, sealed); !errors.Is(err, ErrNoToken) && !errors.Is(err, ErrNoKey) && !errors.Is(err, ErrToken) {
			t.Errorf("%s: %v", pattern, err)
		}
		s.Close() // or the next round would still see this token
	}
}

func FuzzOpenPKCS11(f *testing.F) { fuzzOpen(f, newSoftHSM(f).sealer(f), KindPKCS11) }
