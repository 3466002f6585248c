package client

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mpinlab/sim/wire"
)

// FuzzWallet: no bytes are a wallet that is not written again as it was read.
func FuzzWallet(f *testing.F) {
	id := &Identity{MpinID: "7b22757365724944223a2261227d", UserID: "a", Server: "http://x", Suite: testSuite, State: StatePending, RegOTT: testRegOTT}
	f.Add(must(formatWallet([]*Identity{id})))
	id = &Identity{MpinID: id.MpinID, UserID: "a", Suite: testSuite, State: StateActive, Token: []byte{1}, permit: &permitShare{Date: 1}}
	f.Add(must(formatWallet([]*Identity{id})))
	f.Add([]byte(`{"format":"mpin-wallet","version":1,"identities":[null,{}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		ids, err := parseWallet(b)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("error %v", err)
			}
			return
		}
		again, err := formatWallet(ids)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parseWallet(again); err != nil || len(got) != len(ids) {
			t.Errorf("%s: %v", again, err)
		}
	})
}

// FuzzVault: no file opens that was not sealed.
func FuzzVault(f *testing.F) {
	folder := f.TempDir()
	path := filepath.Join(folder, "v")
	key := DeviceKey(path + ".key")
	v := OpenFileVault(path, key)
	if err := v.Update(f.Context(), func([]byte) ([]byte, error) { return []byte("secret"), nil }); err != nil {
		f.Fatal(err)
	}
	good := must(os.ReadFile(path))
	f.Add(good)
	f.Add([]byte(`{"format":"mpin-vault/1","key":"argon2id","salt":"00112233445566778899aabbccddeeff","time":1,"memory":8,"lanes":1,"nonce":"000000000000000000000000"}` + "\n0123456789012345"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, line, sealed, err := parseVault(b)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("error %v", err)
			}
			return
		}
		if len(line)+1+len(sealed) != len(b) || h.Format != vaultFormat {
			t.Errorf("%q is not all of %q", line, b)
		}
		if string(b) == string(good) {
			return
		}
		at := filepath.Join(t.TempDir(), "v")
		if err := os.WriteFile(at, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := OpenFileVault(at, key).Load(t.Context()); err == nil {
			t.Errorf("opened as %q", got)
		}
	})
}

// FuzzSigned: what parses is written as it was read, and never panics a verifier.
func FuzzSigned(f *testing.F) {
	s := newService(f, 0)
	c := s.open(f)
	id := enrolled(f, c)
	good := must(c.Sign(id, newPIN(f, "1234"), []byte("m")))
	f.Add(good.Bytes())
	f.Add([]byte(`{"format":"mpin-signature/1"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		sig, err := ParseSigned(b)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("error %v", err)
			}
			return
		}
		if err := sig.Verify(s.suite, s.verifier, []byte("m")); err == nil && (sig.U != good.U || sig.V != good.V || sig.Time != good.Time) {
			if !strings.EqualFold(sig.U, good.U) || !strings.EqualFold(sig.V, good.V) {
				t.Errorf("another signature holds: %s", b)
			}
		}
	})
}

// FuzzAnswers: whatever one step of the way is answered with, the client ends
// with a token and a session, or with an error of a kind that it documents.
func FuzzAnswers(f *testing.F) {
	s := newService(f, 0)
	places := []string{"rps/clientSettings", "rps/user", "rps/signature", "certivox/clientSecret", "rps/setupDone", "rps/timePermit", "storage",
		"certivox/timePermit", "rps/pass1", "rps/pass2", "mpinAuthenticate", "logout", "rps/getAccessNumber", "rps/access", "rps/codeStatus", "rps/authenticate"}
	kinds := []error{ErrServer, ErrUnreachable, ErrRefused, ErrBadShare, ErrRevoked, ErrWrongPIN, ErrBlocked, ErrExpired, ErrUnknownIdentity,
		ErrUnknownCode, ErrNotActivated, ErrBusy, ErrState, ErrSuite, ErrPIN, context.DeadlineExceeded}
	settings := s.settings
	settings.ShareKeys = nil
	examples := []any{settings, wire.RegisterAnswer{MpinID: "7b22757365724944223a2261227d", RegOTT: testRegOTT}, wire.SignatureAnswer{Params: "#"},
		wire.PermitHalfAnswer{Date: 1, StorageID: ".."}, wire.Pass1Answer{Y: "00"}, wire.Pass2Answer{AuthOTT: testOTT}, wire.LoginAnswer{LogoutURL: "//[", LogoutData: []byte("{}")},
		wire.CodeAnswer{TTLSeconds: 1, AccessNumber: "\n", WebOTT: testOTT}, wire.AccessAnswer{Status: wire.CodeAuthenticate, AuthOTT: testOTT}, wire.MobileAnswer{}}
	for i, p := range places {
		f.Add(uint8(i), uint16(200), []byte(`{}`))
		f.Add(uint8(i), uint16(401), []byte(`{"message":"no"}`))
		for _, x := range examples {
			f.Add(uint8(i), uint16(200), must(json.Marshal(x)))
		}
		_ = p
	}
	f.Fuzz(func(t *testing.T, which uint8, status uint16, body []byte) {
		at := places[int(which)%len(places)]
		code := 200 + int(status)%400
		if code == http.StatusSwitchingProtocols {
			code = 200
		}
		transport := roundTripper(func(r *http.Request) (*http.Response, error) {
			if place(r.URL.Path) == at {
				return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(string(body))), Request: r}, nil
			}
			return s.direct(r)
		})
		fail := func(err error) bool {
			if err == nil {
				return false
			}
			for _, k := range kinds {
				if errors.Is(err, k) {
					return true
				}
			}
			t.Errorf("%s answered with %d %q: error %v of no known kind", at, code, body, err)
			return true
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		c, err := Open(ctx, s.URL, Options{Suites: SuitesOf(curve()), Transport: transport})
		if fail(err) {
			return
		}
		c.pause = time.Microsecond
		id, err := c.Register(ctx, Registration{UserID: testUser})
		if fail(err) {
			return
		}
		e, err := c.Enrol(ctx, id)
		if fail(err) {
			return
		}
		if fail(e.SetPIN(newPIN(t, "1234"))) {
			return
		}
		fail(c.SetupDone(ctx, id))
		if session, err := c.Login(ctx, id, newPIN(t, "1234"), LoginOptions{OTP: true}); !fail(err) {
			fail(c.Logout(ctx, session))
		}
		if code, err := c.AccessNumber(ctx); !fail(err) {
			_, err := c.CodeState(ctx, code)
			fail(err)
		}
		_, err = c.Approve(ctx, id, newPIN(t, "1234"), "00112233445566778899aabbccddeeff")
		fail(err)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// FuzzCode: what is typed or scanned is a WID or an error.
func FuzzCode(f *testing.F) {
	for _, s := range []string{"1234567", "https://x/#00112233445566778899aabbccddeeff", "#", " 12 3-4"} {
		f.Add(s, 7, true)
	}
	f.Fuzz(func(t *testing.T, s string, digits int, sum bool) {
		c := &Client{}
		c.settings.AccessNumberDigits, c.settings.AccessNumberUseCheckSum = digits, sum
		wid, err := c.readCode(s)
		if err != nil && !errors.Is(err, ErrUnknownCode) || err == nil && strings.Trim(wid, "0123456789abcdef") != "" {
			t.Errorf("%q: %q %v", s, wid, err)
		}
	})
}
