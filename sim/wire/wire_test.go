package wire_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
	"github.com/leanovate/gopter/prop"

	"mpinlab/backends"
	"mpinlab/backends/gnark"
	"mpinlab/protocol"
	"mpinlab/sim/wire"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func properties(t *testing.T, f func(p *gopter.Properties)) {
	t.Helper()
	parameters := gopter.DefaultTestParameters()
	parameters.MinSuccessfulTests = 200
	p := gopter.NewProperties(parameters)
	f(p)
	p.TestingRun(t)
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// TestSignKnownAnswer is the vector of the deployment's description.
func TestSignKnownAnswer(t *testing.T) {
	const want = "f577954ea54f8e8cc1b7d5d238dde635a783a3a37a4ba44877e9f63269cd4b53"
	for _, parts := range [][]string{{"Hello world!"}, {"Hello ", "world!"}, {"", "Hello world!", ""}} {
		if got := wire.Sign("super secret", parts...); got != want {
			t.Errorf("%q: %s", parts, got)
		}
		check(t, wire.Verify("super secret", want, parts...))
		check(t, wire.Verify("super secret", strings.ToUpper(want), parts...))
	}
	for _, bad := range []string{"", want[:62], want + "00", "x" + want[1:], "0" + want[1:]} {
		if err := wire.Verify("super secret", bad, "Hello world!"); !errors.Is(err, wire.ErrSignature) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestSignedStrings are the strings of the deployment's description.
func TestSignedStrings(t *testing.T) {
	for want, parts := range map[string][]string{
		"clientSecretAHUE": wire.ClientSecretParts("A", "H", "U", "E"),
		"serverSecretAE":   wire.ServerSecretParts("A", "E"),
		"apiSettingsAE":    wire.SettingsParts("A", "E"),
		"H":                wire.PermitParts("A", "H", ""),
		"MR":               wire.ActivateKeyParts("M", "R"),
	} {
		if got := strings.Join(parts, ""); got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
	if got := wire.WithSet([]string{"a"}, nil); !slices.Equal(got, []string{"a"}) {
		t.Errorf("no set: %q", got)
	}
	parts := make([]string, 1, 2)
	if wire.WithSet(parts, wire.Set{1, 3}); parts[:2][1] != "" {
		t.Error("the caller's parts are written to")
	}
}

func TestSignatureProperties(t *testing.T) {
	text := gen.AnyString()
	properties(t, func(p *gopter.Properties) {
		p.Property("Verify(k, Sign(k, m), m) holds", prop.ForAll(func(k, m string) bool {
			return wire.Verify(k, wire.Sign(k, m), m) == nil
		}, text, text))
		p.Property("Verify(k', Sign(k, m), m') fails for other keys and messages", prop.ForAll(func(k, m, other string) bool {
			// HMAC pads keys with zeros, so that they differ only up to those.
			same := strings.TrimRight(k, "\x00") == strings.TrimRight(other, "\x00")
			return (same || wire.Verify(other, wire.Sign(k, m), m) != nil) && (other == m || wire.Verify(k, wire.Sign(k, m), other) != nil)
		}, text, text, text))
		p.Property("Split(Join(signature, set)) = signature, set", prop.ForAll(func(m string, set wire.Set) bool {
			s := wire.Sign("k", m)
			sig, text := wire.SplitSignature(wire.JoinSignature(s, set.String()))
			return sig == s && text == set.String()
		}, text, sets()))
	})
}

// sets draws sets, the empty one too.
func sets() gopter.Gen {
	return gen.SliceOf(gen.IntRange(1, wire.MaxMembers)).Map(func(s []int) wire.Set {
		slices.Sort(s)
		return slices.Compact(s)
	})
}

func TestSetProperties(t *testing.T) {
	properties(t, func(p *gopter.Properties) {
		p.Property("ParseSet(s.String()) = s", prop.ForAll(func(s wire.Set) bool {
			got, err := wire.ParseSet(s.String())
			return err == nil && slices.Equal(got, s)
		}, sets()))
		p.Property("Halves(s) are s, and for two or more neither is", prop.ForAll(func(s wire.Set) bool {
			a, b := wire.Halves(s)
			return slices.Equal(slices.Concat(a, b), s) && (len(s) < 2 || len(a) > 0 && len(b) > 0)
		}, sets()))
		p.Property("s.Has(i) iff i is in s", prop.ForAll(func(s wire.Set, i int) bool {
			return s.Has(i) == slices.Contains(s, i)
		}, sets(), gen.IntRange(0, 256)))
	})
	for _, bad := range []string{"0", "256", "1.1", "2.1", "1.", ".1", "1..2", "01", "+1", "-1", "1.3 ", "1,3", "a", "999999999999999999999", strings.Repeat("1.", 2000)} {
		if _, err := wire.ParseSet(bad); !errors.Is(err, wire.ErrMalformed) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if s, err := wire.ParseSet(""); err != nil || s != nil {
		t.Errorf("no text: %v %v", s, err)
	}
}

// TestIdentityKnownAnswer: the raw bytes are those that the original server's
// JSON library writes.
func TestIdentityKnownAnswer(t *testing.T) {
	id := wire.Identity{Issued: "2014-01-30 19:20:29.727173", UserID: "Zoë \"z\" \\ \U0001F600/<&>", Salt: "e2710f3a1b1e6b6e5c2c0e1b2a3f4d5c", Mobile: 1}
	const want = `{"mobile":1,"issued":"2014-01-30 19:20:29.727173","userID":"Zo\u00eb \"z\" \\ \ud83d\ude00/<&>","salt":"e2710f3a1b1e6b6e5c2c0e1b2a3f4d5c"}`
	if got := string(id.Bytes()); got != want {
		t.Errorf("%s", got)
	}
	if got := id.String(); got != hex.EncodeToString([]byte(want)) {
		t.Errorf("%s", got)
	}
	// Another maker's: spaces, another order, more members.
	other := hex.EncodeToString([]byte(`{"userID": "a", "salt": "00", "issued": "x", "mobile": 0, "more": [1]}`))
	if got, err := wire.ParseIdentity(other); err != nil || got.UserID != "a" {
		t.Errorf("%+v %v", got, err)
	}
	h := wire.HashIdentity([]byte(want))
	if len(h) != 32 || hex.EncodeToString(h[:]) == hex.EncodeToString([]byte(want)) {
		t.Error("hash")
	}
}

func TestIdentityProperties(t *testing.T) {
	users := gen.AnyString().SuchThat(func(s string) bool { return wire.CheckUserID(s) == nil })
	properties(t, func(p *gopter.Properties) {
		p.Property("ParseIdentity(id.String()) = id, and id is ASCII JSON", prop.ForAll(func(user string, mobile bool, at int64) bool {
			id, err := wire.NewIdentity(user, mobile, time.Unix(at, 0), nil)
			if err != nil {
				return false
			}
			got, err := wire.ParseIdentity(id.String())
			ascii := !slices.ContainsFunc(id.Bytes(), func(b byte) bool { return b < ' ' || b > '~' })
			return err == nil && *got == *id && ascii && json.Valid(id.Bytes()) && len(id.String()) <= wire.MaxIdentity
		}, users, gen.Bool(), gen.Int64Range(0, 1<<34)))
		p.Property("two identities of one user differ", prop.ForAll(func(user string) bool {
			a, err1 := wire.NewIdentity(user, false, noon, nil)
			b, err2 := wire.NewIdentity(user, false, noon, nil)
			return err1 == nil && err2 == nil && a.String() != b.String()
		}, users))
	})
	long := strings.Repeat("\U0001F600", wire.MaxUserID/4)
	id, err := wire.NewIdentity(long, true, noon, nil)
	check(t, err)
	if _, err := wire.ParseIdentity(id.String()); err != nil {
		t.Errorf("the longest user ID: %v", err)
	}
	if _, err := wire.NewIdentity("a", true, noon, bytes.NewReader(nil)); err == nil {
		t.Error("a salt of nothing")
	}
	for name, user := range map[string]string{"empty": "", "long": strings.Repeat("a", wire.MaxUserID+1), "control": "a\nb", "delete": "\x7f", "not UTF-8": "\xff"} {
		if _, err := wire.NewIdentity(user, false, noon, nil); !errors.Is(err, wire.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := wire.ParseIdentity(hex.EncodeToString([]byte(`{"userID":` + strconv.Quote(user) + `}`))); !errors.Is(err, wire.ErrIdentity) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range []string{"", "0", "zz", "00", strings.Repeat("00", wire.MaxIdentity/2+1), hex.EncodeToString([]byte("[]"))} {
		if _, err := wire.ParseIdentity(bad); !errors.Is(err, wire.ErrIdentity) {
			t.Errorf("%.10q: %v", bad, err)
		}
	}
}

// TestIdentityOf: what a D-TA makes of the hash is what everybody else makes of
// the raw identity, on all curves of both dialects.
func TestIdentityOf(t *testing.T) {
	raw := []byte(`{"userID":"alice"}`)
	h := wire.HashIdentity(raw)
	for _, id := range protocol.SuiteIDs() {
		b, err := gnark.NewCurve(id.Curve)
		if err != nil {
			continue // not gnark's
		}
		s, err := protocol.New(id, b)
		check(t, err)
		got, err := wire.IdentityOf(s, hex.EncodeToString(h[:]))
		if !id.TimePermits() {
			if !errors.Is(err, protocol.ErrNoPermits) {
				t.Errorf("%s: %v", id, err)
			}
			continue
		}
		check(t, err)
		want, err := s.Identity(raw)
		check(t, err)
		if !bytes.Equal(s.EncodeG1(got.Point()), s.EncodeG1(want.Point())) {
			t.Errorf("%s: another point", id)
		}
		if _, err := wire.IdentityOf(s, "00"); !errors.Is(err, wire.ErrMalformed) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if _, err := gnark.NewCurve(backends.BLS12381); err != nil {
		t.Fatal(err)
	}
}

// TestAccepted: yesterday's permit is good for an hour.
func TestAccepted(t *testing.T) {
	for at, want := range map[string]string{
		"2026-11-23T00:00:00Z": "20780 20779", "2026-11-23T00:59:59Z": "20780 20779", "2026-11-23T01:00:00Z": "20780",
		"2026-11-23T23:59:59Z": "20780", "2026-11-24T00:00:00Z": "20781 20780", "2026-11-23T01:30:00+02:00": "20779",
		"1970-01-02T00:30:00Z": "1",
	} {
		now, err := time.Parse(time.RFC3339, at)
		check(t, err)
		days, err := wire.Accepted(now)
		check(t, err)
		var words []string
		for _, d := range days {
			words = append(words, strconv.Itoa(int(d)))
		}
		if got := strings.Join(words, " "); got != want {
			t.Errorf("%s: %s, not %s", at, got, want)
		}
	}
	if _, err := wire.Accepted(time.Unix(-1e9, 0)); err == nil {
		t.Error("before the epoch")
	}
}

func TestExpires(t *testing.T) {
	if got := wire.Expires(noon); got != "2026-11-23T12:01:00Z" {
		t.Errorf("%s", got)
	}
	for text, want := range map[string]error{
		"2026-11-23T12:01:00Z": nil, "2026-11-23T12:01:05Z": nil, "2026-11-23T12:01:06Z": wire.ErrExpired,
		"2026-11-23T11:59:55Z": nil, "2026-11-23T11:59:54Z": wire.ErrExpired,
		"2026-11-21T12:01:00Z": wire.ErrExpired, "2026-11-25T12:01:00Z": wire.ErrExpired, "9999-12-31T23:59:59Z": wire.ErrExpired,
		"0000-01-01T00:00:00Z": wire.ErrExpired, "": wire.ErrMalformed, "2026-11-23 12:01:00Z": wire.ErrMalformed,
		"2026-11-23T12:01:00": wire.ErrMalformed, "2026-11-23T12:01:00+00:00": wire.ErrMalformed, "2026-13-23T12:01:00Z": wire.ErrMalformed,
		"2026-11-23T24:01:00Z": wire.ErrMalformed, "2026-11-23T12:01:00.5Z": wire.ErrMalformed, " 2026-11-23T12:01:00Z": wire.ErrMalformed,
	} {
		if err := wire.CheckExpires(text, noon); !errors.Is(err, want) {
			t.Errorf("%q: %v, not %v", text, err, want)
		}
	}
	properties(t, func(p *gopter.Properties) {
		p.Property("what is signed now is good now and a minute long, and two days from now not", prop.ForAll(func(at int64, later int) bool {
			now := time.Unix(at, 0)
			e := wire.Expires(now)
			return wire.CheckExpires(e, now.Add(time.Duration(later)*time.Second)) == nil &&
				errors.Is(wire.CheckExpires(e, now.AddDate(0, 0, 2)), wire.ErrExpired) &&
				errors.Is(wire.CheckExpires(e, now.AddDate(0, 0, -2)), wire.ErrExpired)
		}, gen.Int64Range(0, 1<<35), gen.IntRange(0, 60)))
	})
}

func TestPermitSignatures(t *testing.T) {
	const key, app = "key", "app-1"
	hash := strings.Repeat("0f", 32)
	properties(t, func(p *gopter.Properties) {
		p.Property("VerifyPermitSignature(PermitSignature(set)) = set, and not two days later unless there is none", prop.ForAll(func(set wire.Set, at int64) bool {
			now := time.Unix(at, 0)
			s := wire.PermitSignature(key, app, hash, set, now)
			got, err := wire.VerifyPermitSignature(key, app, hash, s, now)
			_, late := wire.VerifyPermitSignature(key, app, hash, s, now.AddDate(0, 0, 2))
			return err == nil && slices.Equal(got, set) && (len(set) == 0) == (late == nil) && (late == nil || errors.Is(late, wire.ErrExpired))
		}, sets(), gen.Int64Range(0, 1<<35)))
	})
	if got := wire.PermitSignature(key, app, hash, nil, noon); got != wire.Sign(key, hash) {
		t.Error("without a set it is not the original's")
	}
	good := wire.PermitSignature(key, app, hash, wire.Set{1, 3}, noon)
	for name, bad := range map[string]string{
		"another set": strings.Replace(good, "-1.3-", "-2.3-", 1), "no set": strings.Replace(good, "-1.3-", "--", 1),
		"another time": good[:len(good)-1] + "1", "no time": good[:strings.LastIndex(good, "-")+1], "cut": good[:70],
		"no suffix": good[:64], "empty suffix": good[:64] + "-", "original's with a set": wire.Sign(key, hash) + good[64:],
		"a sign": strings.Replace(good, "-1.3-", "-1.3-+", 1), "a zero": strings.Replace(good, "-1.3-", "-1.3-0", 1),
		"far": good[:64] + "-1.3-999999999999999999", "negative": good[:64] + "-1.3--5", "more": good + "-1",
	} {
		if _, err := wire.VerifyPermitSignature(key, app, hash, bad, noon); !errors.Is(err, wire.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := wire.StorageID(hash, wire.Set{1, 3}); got != hash+"-1.3" {
		t.Errorf("%s", got)
	}
}

func TestAccessNumbers(t *testing.T) {
	for number, good := range map[string]bool{
		"1234562": false, "0000000": false, "123456": false, "12345678": false, "12345a7": false, "": false, "١٢٣": false,
	} {
		if err := wire.CheckAccessNumber(number); (err == nil) != good || err != nil && !errors.Is(err, wire.ErrAccessNumber) {
			t.Errorf("%q: %v", number, err)
		}
	}
	// By hand: 7·1+6·2+5·3+4·4+3·5+2·6 = 77, 77 mod 11 = 0, check 0: not used.
	// 7·1+6·2+5·3+4·4+3·5+2·7 = 79, 79 mod 11 = 2, check 9.
	check(t, wire.CheckAccessNumber("1234579"))
	properties(t, func(p *gopter.Properties) {
		p.Property("a number that is drawn is good, and no single digit of it can be changed", prop.ForAll(func(int) bool {
			n, err := wire.NewAccessNumber(nil)
			if err != nil || len(n) != wire.AccessNumberDigits || wire.CheckAccessNumber(n) != nil || n[6] == '0' {
				return false
			}
			for i := range n {
				for d := byte('0'); d <= '9'; d++ {
					b := []byte(n)
					if b[i] = d; d != n[i] && wire.CheckAccessNumber(string(b)) == nil {
						return false
					}
				}
			}
			return true
		}, gen.Int()))
	})
	if _, err := wire.NewAccessNumber(bytes.NewReader(make([]byte, 10000))); err == nil {
		t.Error("a source of zeros gives a number")
	}
}

// TestQueryOrder: missing first, then the signature, the form, the expiry.
func TestQueryOrder(t *testing.T) {
	hash := strings.Repeat("0f", 32)
	good := wire.Query{"app_id": "a", "expires": wire.Expires(noon), "hash_mpin_id": hash, "hash_user_id": "", "mobile": "0"}
	signed := func(change wire.Query) wire.Query {
		q := wire.Query{}
		for k, v := range good {
			q[k] = v
		}
		for k, v := range change {
			q[k] = v
		}
		if _, ok := q["signature"]; !ok {
			q["signature"] = wire.Sign("key", "clientSecret", q["app_id"], q["hash_mpin_id"], q["hash_user_id"], q["expires"], q["set"])
		}
		for k, v := range q {
			if v == "absent" {
				delete(q, k)
			}
		}
		return q
	}
	late := wire.Expires(noon.Add(-time.Hour))
	for name, c := range map[string]struct {
		q    wire.Query
		want error
	}{
		"good": {signed(nil), nil}, "with a set": {signed(wire.Query{"set": "1.2"}), nil},
		"nothing": {wire.Query{}, wire.ErrMalformed}, "unsigned": {signed(wire.Query{"signature": "absent"}), wire.ErrMalformed},
		"unsigned and late":            {signed(wire.Query{"signature": "absent", "expires": late}), wire.ErrMalformed},
		"wrong, malformed and late":    {signed(wire.Query{"signature": "00", "expires": late, "hash_mpin_id": "x"}), wire.ErrSignature},
		"malformed and late":           {signed(wire.Query{"expires": late, "hash_mpin_id": "x"}), wire.ErrMalformed},
		"late":                         {signed(wire.Query{"expires": late}), wire.ErrExpired},
		"a set that is signed, and is": {signed(wire.Query{"set": "2.1"}), wire.ErrMalformed},
	} {
		if _, _, err := c.q.CheckClientSecret("key", noon); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	q, err := wire.ParseQuery(signed(wire.Query{"set": "1.2"}).Encode())
	check(t, err)
	if got, set, err := q.CheckClientSecret("key", noon); err != nil || got != hash || set.String() != "1.2" {
		t.Errorf("there and back: %s %s %v", got, set, err)
	}
}

func TestCheckAppID(t *testing.T) {
	for id, good := range map[string]bool{"a": true, "A-z_9": true, "": false, "a/b": false, "a b": false, "é": false, "a.b": false,
		strings.Repeat("a", wire.MaxApplication): true, strings.Repeat("a", wire.MaxApplication+1): false} {
		if err := wire.CheckAppID(id); (err == nil) != good || err != nil && !errors.Is(err, wire.ErrMalformed) {
			t.Errorf("%q: %v", id, err)
		}
	}
}
