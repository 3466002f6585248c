package client

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"mpinlab/backends"
)

func TestWallet(t *testing.T) {
	s := newService(t, 0)
	d := NewDevice(s.open(t), NewWallet(NewMemoryVault()))
	ctx := t.Context()
	_, err := d.Wallet.Find(ctx, s.URL, "")
	want(t, err, ErrNotFound)
	first, err := d.Register(ctx, Registration{UserID: testUser, DeviceName: "one"})
	if err != nil {
		t.Fatal(err)
	}
	// Registering again before activation leaves one pending identity.
	second, err := d.Register(ctx, Registration{UserID: testUser, DeviceName: "two"})
	if err != nil {
		t.Fatal(err)
	}
	if ids := must(d.Wallet.List(ctx)); len(ids) != 1 || ids[0].MpinID != second.MpinID || first.MpinID == second.MpinID {
		t.Errorf("identities %v", ids)
	}
	if err := d.Activate(ctx, second, newPIN(t, "1234"), 0); err != nil {
		t.Fatal(err)
	}
	// A token stays until the next one is there, and then goes.
	third, err := d.Register(ctx, Registration{UserID: testUser})
	if err != nil {
		t.Fatal(err)
	}
	if ids := must(d.Wallet.List(ctx)); len(ids) != 2 {
		t.Errorf("identities %v", ids)
	}
	if err := d.Activate(ctx, third, newPIN(t, "1234"), 0); err != nil {
		t.Fatal(err)
	}
	found, err := d.Wallet.Find(ctx, s.URL, "")
	if err != nil || found.MpinID != third.MpinID || found.State != StateActive || !found.Announced {
		t.Errorf("%+v %v", found, err)
	}
	// The permit of a login is kept, and so is that it blocked the identity.
	if _, err := d.Login(ctx, found, newPIN(t, "1234"), LoginOptions{}); err != nil {
		t.Fatal(err)
	}
	if found = must(d.Wallet.Find(ctx, s.URL, testUser)); found.permit == nil {
		t.Error("the permit was not kept")
	}
	s.failures = 3
	_, err = d.Login(ctx, found, newPIN(t, "1234"), LoginOptions{})
	want(t, err, ErrBlocked)
	found = must(d.Wallet.Find(ctx, s.URL, testUser))
	asked := s.count("rps/pass1")
	_, err = d.Login(ctx, found, newPIN(t, "1234"), LoginOptions{})
	want(t, err, ErrBlocked)
	if s.count("rps/pass1") != asked {
		t.Error("a blocked identity was tried")
	}
	if _, err := d.Register(ctx, Registration{UserID: "bob@example.com"}); err != nil {
		t.Fatal(err)
	}
	_, err = d.Wallet.Find(ctx, s.URL, "")
	want(t, err, ErrNotFound)
	if err := d.Forget(ctx, found); err != nil {
		t.Fatal(err)
	}
	want(t, d.Forget(ctx, found), ErrNotFound)
}

// When the deployment cannot be told that setup is done, the next login tells it.
func TestSetupDoneLater(t *testing.T) {
	s := newService(t, 0)
	d := NewDevice(s.open(t), NewWallet(NewMemoryVault()))
	s.replace("rps/setupDone", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	id, err := d.Register(t.Context(), Registration{UserID: testUser})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Activate(t.Context(), id, newPIN(t, "1234"), 0); err != nil {
		t.Fatal(err)
	}
	id = must(d.Wallet.Find(t.Context(), s.URL, testUser))
	if id.Announced {
		t.Error("it was told")
	}
	s.replace("rps/setupDone", nil)
	if _, err := d.Login(t.Context(), id, newPIN(t, "1234"), LoginOptions{}); err != nil {
		t.Fatal(err)
	}
	if !must(d.Wallet.Find(t.Context(), s.URL, testUser)).Announced {
		t.Error("it was not told at the next login")
	}
}

// A stolen wallet, opened, does not let its thief test PINs. All that lies in it
// after logins goes into this test as a thief has it, with everything that is
// public beside it; what would tell a right PIN from a wrong one is s·A, e(s·A, Q)
// or s·Q, and every value in the record is compared with what the right PIN
// would make of it.
func TestStolenWallet(t *testing.T) {
	s := newService(t, 0)
	vault := NewMemoryVault()
	d := NewDevice(s.open(t), NewWallet(vault))
	id, err := d.Register(t.Context(), Registration{UserID: testUser, DeviceName: "phone"})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Activate(t.Context(), id, newPIN(t, "1234"), 0); err != nil {
		t.Fatal(err)
	}
	s.store(id.MpinID)
	if _, err := d.Login(t.Context(), id, newPIN(t, "1234"), LoginOptions{OTP: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Login(t.Context(), id, newPIN(t, "4321"), LoginOptions{}); !errors.Is(err, ErrWrongPIN) {
		t.Fatal(err)
	}
	record := must(id.Record())

	// The record has these fields and no others: a new one must be thought
	// about here.
	var fields map[string]any
	if err := json.Unmarshal(record, &fields); err != nil {
		t.Fatal(err)
	}
	known := "mpinId userId deviceName server suite state token announced permit date storageId first second doubted"
	var values []string
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, x := range v {
				if !strings.Contains(" "+known+" ", " "+name+" ") {
					t.Errorf("field %q is not known to this test", name)
				}
				walk(x)
			}
		case string:
			values = append(values, v)
		}
	}
	walk(fields)

	// No value is s·A or made of it: neither itself, nor with a permit or key
	// added or taken away, nor in another group.
	point, secret, err := id.secret(s.suite, newPIN(t, "1234"))
	if err != nil {
		t.Fatal(err)
	}
	sA := must(s.suite.DecodeG1(secret.Bytes()))
	sums := []backends.G1{sA, sA.Neg()}
	for i := range s.masters {
		half := must(s.suite.DecodeG1(must(s.masters[i].ClientShare(point)).Bytes()))
		sums = append(sums, half, sA.Sub(half))
	}
	permit := must(s.suite.DecodeG1(must(d.Client.Permit(t.Context(), id)).Bytes()))
	sums = append(sums, sA.Add(permit), sA.Sub(permit), sA.Add(permit).Neg())
	points := 0
	for _, v := range values {
		b, err := hex.DecodeString(v)
		if err != nil {
			continue
		}
		p, err := s.suite.DecodeG1(b)
		if err != nil {
			if _, err := s.suite.DecodeG2(b); err == nil || len(b) > 300 {
				t.Errorf("a value of %d bytes could be one of G2 or GT", len(b))
			}
			continue
		}
		points++
		for i, x := range sums {
			if p.Equal(x) {
				t.Errorf("a stored point is combination %d of s·A", i)
			}
		}
		// Nor is any the token for another PIN, or a multiple that a PIN
		// search would know: with two such values the PIN follows.
		if !bytes.Equal(b, id.Token) {
			a, x := point.Point(), sA
			for n := range 10000 {
				if p.Equal(x) {
					t.Errorf("a stored point is the token for PIN %04d", n)
				}
				x = x.Sub(a)
			}
		}
	}
	if points != 3 { // token and two halves of a permit
		t.Errorf("%d points in the record", points)
	}

	// And the record of a user with another PIN is another in its token only,
	// by a known multiple of A: everything else is as it would be for any PIN.
	other := must(ReadRecord(record))
	token := must(s.suite.DecodeToken(other.Token))
	other.Token = must(token.ChangeFactor(point, must(s.suite.PIN("1234")), must(s.suite.PIN("9876")))).Bytes()
	login(t, d.Client, other, "9876")
	changed := must(ReadRecord(must(other.Record())))
	changed.Token = id.Token
	a, b := must(changed.Record()), must(id.Record())
	if got := strings.Replace(string(a), `,"doubted":true`, "", 1); got != strings.Replace(string(b), `,"doubted":true`, "", 1) {
		t.Errorf("the records differ in more than the token:\n%s\n%s", a, b)
	}
}

func TestBadRecords(t *testing.T) {
	s := newService(t, 0)
	id := enrolled(t, s.open(t))
	good := string(must(id.Record()))
	if _, err := ReadRecord([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for what, r := range map[string]string{
		"nothing": "", "null": "null", "a list": "[]", "another state": strings.Replace(good, "active", "asleep", 1),
		"pending with a token": strings.Replace(good, "active", "pending", 1),
		"no token":             strings.Replace(good, hexOf(id.Token), "", 1),
		"odd hex":              strings.Replace(good, hexOf(id.Token), "0", 1),
		"a long token":         strings.Replace(good, hexOf(id.Token), strings.Repeat("00", 1000), 1),
		"no suite":             strings.Replace(good, testSuite, "x", 1),
		"another identity":     strings.Replace(good, id.MpinID, "00", 1),
	} {
		if _, err := ReadRecord([]byte(r)); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, w := range map[string]string{
		"nothing": " ", "another format": `{"format":"x","version":1}`, "a later version": `{"format":"mpin-wallet","version":2}`,
		"twice": fmt.Sprintf(`{"format":"mpin-wallet","version":1,"identities":[%s,%s]}`, good, good),
		"null":  `{"format":"mpin-wallet","version":1,"identities":[null]}`,
	} {
		if _, err := parseWallet([]byte(w)); !errors.Is(err, ErrDamaged) {
			t.Errorf("wallet: %s: %v", what, err)
		}
	}
	// A token that is no point shows when it is used.
	id.Token[len(id.Token)-1] ^= 1
	_, err := s.open(t).Login(t.Context(), id, newPIN(t, "1234"), LoginOptions{})
	want(t, err, ErrDamaged)
}

func TestPIN(t *testing.T) {
	for _, bad := range []string{"", "123", "1234567890123", "12a4", "１２３４", " 1234", "-1234"} {
		if _, err := NewPIN([]byte(bad)); !errors.Is(err, ErrPIN) || bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	p := newPIN(t, "0042")
	for _, s := range []string{fmt.Sprint(p), fmt.Sprintf("%d %s %v %+v %#v %x %q", p, p, p, p, p, p, p)} {
		if strings.Contains(s, "42") {
			t.Errorf("it prints %q", s)
		}
	}
	if _, err := json.Marshal(p); err == nil {
		t.Error("it is stored")
	}
	p.Wipe()
	if p.number != 0 || p.Len() != 0 {
		t.Error("it is there after Wipe")
	}
	s := newService(t, 0)
	c := s.open(t)
	_, err := c.Login(t.Context(), enrolled(t, c), p, LoginOptions{})
	want(t, err, ErrPIN)
	want(t, c.CheckPIN(p), ErrPIN)
	// A suite that keeps four digits only does not take more.
	milagro := &Client{suite: suiteOf(t, "milagro/bls12-381")}
	want(t, milagro.CheckPIN(newPIN(t, "12345")), ErrPIN)
	if err := milagro.CheckPIN(newPIN(t, "1234")); err != nil {
		t.Error(err)
	}
}

func TestReadCode(t *testing.T) {
	c := &Client{}
	c.settings.AccessNumberUseCheckSum, c.settings.AccessNumberDigits = true, 7
	hex := "00112233445566778899aabbccddeeff"
	for in, out := range map[string]string{
		"https://x.example/rps#" + strings.ToUpper(hex): hex, hex: hex, "  " + hex + "\n": hex,
	} {
		if got, err := c.readCode(in); err != nil || got != out {
			t.Errorf("%q: %q %v", in, got, err)
		}
	}
	good := ""
	for n := 1000000; good == ""; n++ {
		if got, err := c.readCode(fmt.Sprint(n)); err == nil {
			good = got
		}
	}
	if got, err := c.readCode(good[:3] + " " + good[3:5] + "-" + good[5:]); err != nil || got != good {
		t.Errorf("%q %v", got, err)
	}
	for _, bad := range []string{"", "1", "12345678", good[:6] + string('0'+(good[6]-'0'+1)%10), "abcdefg", hex + "0", "#", "https://x.example/#" + hex[:31]} {
		if _, err := c.readCode(bad); !errors.Is(err, ErrUnknownCode) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
