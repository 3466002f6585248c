package client

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func want(t *testing.T, err, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("error %v, want %v", err, kind)
	}
}

// login logs in and fails the test if that fails.
func login(t *testing.T, c *Client, id *Identity, digits string) *Session {
	t.Helper()
	s, err := c.Login(t.Context(), id, newPIN(t, digits), LoginOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLogin(t *testing.T) {
	for _, threshold := range []int{0, 2} {
		s := newService(t, threshold)
		c := s.open(t)
		id := enrolled(t, c)
		session := login(t, c, id, "1234")
		if session.UserID != testUser || len(session.Cookies) != 1 {
			t.Errorf("session %+v", session)
		}
		if err := c.Logout(t.Context(), session); err != nil {
			t.Error(err)
		}
		_, err := c.Login(t.Context(), id, newPIN(t, "1235"), LoginOptions{})
		want(t, err, ErrWrongPIN)
		_, err = c.Login(t.Context(), id, newPIN(t, "12345"), LoginOptions{})
		want(t, err, ErrWrongPIN)
		s.failures = 3
		_, err = c.Login(t.Context(), id, newPIN(t, "1234"), LoginOptions{})
		want(t, err, ErrBlocked)
	}
}

// The date is the permit's: a client's clock that is wrong by days changes
// nothing.
func TestClockSkew(t *testing.T) {
	for _, skew := range []time.Duration{-48 * time.Hour, 48 * time.Hour} {
		s := newService(t, 0)
		c := s.open(t, func(o *Options) { o.Now = func() time.Time { return time.Now().Add(skew) } })
		id, err := c.Register(t.Context(), Registration{UserID: testUser})
		if err != nil {
			t.Fatal(err)
		}
		e, err := c.EnrolWhenActive(t.Context(), id, time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.SetPIN(newPIN(t, "1234")); err != nil {
			t.Fatal(err)
		}
		login(t, c, id, "1234")
	}
}

func TestPermitCache(t *testing.T) {
	s := newService(t, 0)
	c := s.open(t)
	id := enrolled(t, c)
	s.store(id.MpinID)
	counts := func(half, storage, dta int) {
		t.Helper()
		if a, b, d := s.count("rps/timePermit"), s.count("storage"), s.count("certivox/timePermit"); a != half || b != storage || d != dta {
			t.Errorf("asked RPS %d, storage %d, D-TA %d times; want %d, %d, %d", a, b, d, half, storage, dta)
		}
	}
	login(t, c, id, "1234")
	counts(1, 1, 0)
	login(t, c, id, "1234")
	counts(2, 1, 0)
	s.date++
	login(t, c, id, "1234")
	counts(3, 2, 0)
	// What the storage does not have comes from the D-TA.
	s.date++
	s.replace("storage", nil)
	login(t, c, id, "1234")
	counts(4, 3, 1)
	// The cache is in the record.
	record, err := id.Record()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ReadRecord(record)
	if err != nil {
		t.Fatal(err)
	}
	login(t, c, again, "1234")
	counts(5, 3, 1)
}

// A storage that lies makes one login fail and not the next.
func TestLyingStorage(t *testing.T) {
	s := newService(t, 0)
	c := s.open(t)
	id := enrolled(t, c)
	s.replace("storage", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, hexOf(s.suite.EncodeG1(s.identity(id.MpinID).Point())))
	})
	_, err := c.Login(t.Context(), id, newPIN(t, "1234"), LoginOptions{})
	want(t, err, ErrWrongPIN)
	login(t, c, id, "1234")
	if n := s.count("certivox/timePermit"); n != 1 {
		t.Errorf("the D-TA was asked %d times", n)
	}
	// Rubbish is a miss.
	for _, body := range []string{"", "zz", "00", strings.Repeat("0", 5000)} {
		s.date++
		s.replace("storage", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
		login(t, c, id, "1234")
	}
}

func TestRevoked(t *testing.T) {
	s := newService(t, 0)
	c := s.open(t)
	id := enrolled(t, c)
	for _, status := range []int{401, 403, 410} {
		s.replace("rps/timePermit", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, `{"message":"no\u001b[2J permit"}`)
		})
		_, err := c.Login(t.Context(), id, newPIN(t, "1234"), LoginOptions{})
		want(t, err, ErrRevoked)
		var e *StatusError
		if !errors.As(err, &e) || e.Message != "no[2J permit" || e.Status != status {
			t.Errorf("%+v", e)
		}
	}
	if s.count("rps/pass1") != 0 {
		t.Error("went on without a permit")
	}
}

func TestActivation(t *testing.T) {
	s := newService(t, 0)
	c := s.open(t)
	id, err := c.Register(t.Context(), Registration{UserID: testUser})
	if err != nil {
		t.Fatal(err)
	}
	refuse := func(status int) {
		s.replace("rps/signature", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
	}
	for status, kind := range map[int]error{401: ErrNotActivated, 400: ErrUnknownIdentity, 404: ErrUnknownIdentity, 408: ErrExpired, 500: ErrServer, 429: ErrBusy, 418: ErrRefused} {
		refuse(status)
		_, err := c.Enrol(t.Context(), id)
		want(t, err, kind)
	}
	// Waiting ends when the user has activated.
	n := 0
	s.replace("rps/signature", func(w http.ResponseWriter, r *http.Request) {
		if n++; n < 4 {
			w.WriteHeader(401)
			return
		}
		s.honest(w, r)
	})
	e, err := c.EnrolWhenActive(t.Context(), id, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	// A PIN of a wrong length leaves the secret there for another.
	want(t, e.SetPIN(newPIN(t, "1234567")), ErrPIN)
	if err := e.SetPIN(newPIN(t, "123456")); err != nil {
		t.Fatal(err)
	}
	want(t, e.SetPIN(newPIN(t, "123456")), ErrState)
	_, err = c.Enrol(t.Context(), id)
	want(t, err, ErrState)
	want(t, c.RegisterAgain(t.Context(), id), ErrState)
	// Or when the registration has expired.
	refuse(401)
	late := &Identity{MpinID: id.MpinID, State: StatePending, RegOTT: testRegOTT, Expires: time.Now().Add(-time.Second)}
	_, err = c.EnrolWhenActive(t.Context(), late, time.Hour)
	want(t, err, ErrExpired)
	if _, err := c.Login(t.Context(), late, newPIN(t, "1234"), LoginOptions{}); !errors.Is(err, ErrState) {
		t.Errorf("a login without a token: %v", err)
	}
}

func TestChangePIN(t *testing.T) {
	s := newService(t, 0)
	c := s.open(t)
	id := enrolled(t, c)
	token := string(id.Token)
	err := c.ChangePIN(t.Context(), id, newPIN(t, "4321"), newPIN(t, "8642"))
	want(t, err, ErrWrongPIN)
	want(t, c.ChangePIN(t.Context(), id, newPIN(t, "1234"), newPIN(t, "1234567")), ErrPIN)
	if string(id.Token) != token {
		t.Fatal("the token changed though the PIN did not")
	}
	if err := c.ChangePIN(t.Context(), id, newPIN(t, "1234"), newPIN(t, "8642")); err != nil {
		t.Fatal(err)
	}
	login(t, c, id, "8642")
	_, err = c.Login(t.Context(), id, newPIN(t, "1234"), LoginOptions{})
	want(t, err, ErrWrongPIN)
	if err := c.ChangePIN(t.Context(), id, newPIN(t, "8642"), newPIN(t, "1234")); err != nil {
		t.Fatal(err)
	}
	if string(id.Token) != token {
		t.Error("there and back gives another token")
	}
	if s.count("logout") != 2 {
		t.Error("the sessions that tested the PINs were not ended")
	}
}

// What may be sent twice is, and what may not is not.
func TestRetries(t *testing.T) {
	s := newService(t, 0)
	c := s.open(t)
	id := enrolled(t, c)
	failing := func(place string, times, status int) {
		n := 0
		s.replace(place, func(w http.ResponseWriter, r *http.Request) {
			if n++; n <= times {
				w.WriteHeader(status)
				return
			}
			s.honest(w, r)
		})
	}
	for _, place := range []string{"rps/timePermit", "certivox/timePermit", "rps/pass1", "rps/pass2"} {
		s.date++
		failing(place, 2, http.StatusServiceUnavailable)
		login(t, c, id, "1234")
	}
	failing("rps/pass2", 1, http.StatusInternalServerError)
	login(t, c, id, "1234")
	before := s.count("rps/pass1")
	failing("rps/pass1", 1, http.StatusForbidden)
	_, err := c.Login(t.Context(), id, newPIN(t, "1234"), LoginOptions{})
	want(t, err, ErrRefused)
	if s.count("rps/pass1") != before+1 {
		t.Error("a refused pass 1 was sent again")
	}
	for place, f := range map[string]func() error{
		"mpinAuthenticate": func() error { _, err := c.Redeem(t.Context(), testOTT); return err },
		"rps/user":         func() error { _, err := c.Register(t.Context(), Registration{UserID: testUser}); return err },
		"rps/signature": func() error {
			_, err := c.Enrol(t.Context(), &Identity{MpinID: id.MpinID, State: StatePending, RegOTT: testRegOTT})
			return err
		},
	} {
		before := s.count(place)
		failing(place, 1, http.StatusServiceUnavailable)
		want(t, f(), ErrServer)
		if n := s.count(place) - before; n != 1 {
			t.Errorf("%s was asked %d times", place, n)
		}
	}
}

// Logins of one identity at the same time take turns between their passes: the
// service keeps the latest pass 1 only.
func TestConcurrentProofs(t *testing.T) {
	s := newService(t, 0)
	c := s.open(t)
	id := enrolled(t, c)
	var wg sync.WaitGroup
	errs := make([]error, 16)
	for i := range errs {
		wg.Go(func() { _, errs[i] = c.Prove(t.Context(), id, newPIN(t, "1234"), ProveOptions{}) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil || s.verdict != nil {
		t.Error(err, s.verdict)
	}
}

// Nothing that is traced or said in errors is a secret.
func TestNoSecretsSaid(t *testing.T) {
	var mu sync.Mutex
	var said strings.Builder
	note := func(v any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(&said, "%v %+v %s\n", v, v, v)
	}
	s := newService(t, 0)
	c := s.open(t, func(o *Options) { o.Trace = func(e Event) { note(e) } })
	id, err := c.Register(t.Context(), Registration{UserID: testUser})
	if err != nil {
		t.Fatal(err)
	}
	s.replace("rps/signature", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(401) })
	_, err = c.Enrol(t.Context(), id)
	note(err)
	note(id)
	s.replace("rps/signature", nil)
	e, err := c.Enrol(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	pin := newPIN(t, "827364")
	note(pin)
	note(e)
	if err := e.SetPIN(pin); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Login(t.Context(), id, pin, LoginOptions{OTP: true}); err != nil {
		t.Fatal(err)
	}
	note(id)
	s.Close()
	_, err = c.Enrol(t.Context(), &Identity{MpinID: id.MpinID, State: StatePending, RegOTT: testRegOTT})
	want(t, err, ErrUnreachable)
	note(err)
	_, err = c.Redeem(t.Context(), testOTT)
	note(err)
	if !strings.Contains(said.String(), "pass1") {
		t.Fatal("nothing was traced")
	}
	for what, secret := range map[string]string{"PIN": "827364", "token": hexOf(id.Token), "regOTT": testRegOTT, "authOTT": testOTT, "OTP": "123456"} {
		if strings.Contains(said.String(), secret) {
			at := strings.Index(said.String(), secret)
			t.Errorf("the %s was said: %q", what, said.String()[max(0, at-200):at])
		}
	}
}
