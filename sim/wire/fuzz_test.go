package wire_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"mpinlab/sim/wire"
)

func FuzzParseIdentity(f *testing.F) {
	id, err := wire.NewIdentity("alice@example.com", true, noon, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(id.String())
	f.Add(hex.EncodeToString([]byte(`{"userID":"\ud83d\ude00","mobile":7}`)))
	f.Add("7b7d")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := wire.ParseIdentity(s)
		if err != nil {
			if !errors.Is(err, wire.ErrIdentity) {
				t.Fatalf("another kind of error: %v", err)
			}
			return
		}
		if len(s) > wire.MaxIdentity || wire.CheckUserID(id.UserID) != nil {
			t.Fatalf("taken: %q", s)
		}
		// What is written of it is an identity of the same user again, unless
		// it has grown over the limit by escapes.
		if again := id.String(); len(again) <= wire.MaxIdentity {
			if b, err := wire.ParseIdentity(again); err != nil || *b != *id {
				t.Fatalf("%+v came back as %+v: %v", id, b, err)
			}
		}
	})
}

func FuzzParseSet(f *testing.F) {
	for _, s := range []string{"", "1", "1.3.4", "255", "3.1", "1.1", "01", "1.", "1.256"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		set, err := wire.ParseSet(s)
		if err != nil {
			if !errors.Is(err, wire.ErrMalformed) || set != nil {
				t.Fatalf("%v %v", set, err)
			}
			return
		}
		if set.String() != s {
			t.Fatalf("%q came back as %q", s, set)
		}
		for i, n := range set {
			if n < 1 || n > wire.MaxMembers || i > 0 && n <= set[i-1] {
				t.Fatalf("%q gives %v", s, set)
			}
		}
	})
}

func FuzzCheckExpires(f *testing.F) {
	f.Add(wire.Expires(noon), int64(0))
	f.Add("9999-12-31T23:59:59Z", int64(1<<40))
	f.Add("2026-02-30T00:00:00Z", int64(-5))
	f.Fuzz(func(t *testing.T, s string, offset int64) {
		now := noon.Add(time.Duration(offset % int64(1000*24*time.Hour)))
		err := wire.CheckExpires(s, now)
		at, bad := time.Parse(wire.ExpiresLayout, s)
		switch {
		case err == nil:
			if bad != nil || now.Sub(at) > wire.Skew || at.Sub(now) > wire.Lifetime+wire.Skew {
				t.Fatalf("%q at %s is taken", s, now)
			}
		case !errors.Is(err, wire.ErrExpired) && !errors.Is(err, wire.ErrMalformed):
			t.Fatalf("another kind of error: %v", err)
		}
	})
}

func FuzzCheckAccessNumber(f *testing.F) {
	for _, s := range []string{"1234579", "0000000", "123456", "12345x9", "１２３"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		err := wire.CheckAccessNumber(s)
		if err != nil {
			if !errors.Is(err, wire.ErrAccessNumber) {
				t.Fatalf("another kind of error: %v", err)
			}
			return
		}
		// With the check digit the weighted sum is a multiple of 11.
		sum := 0
		for i, c := range []byte(s) {
			sum += (7 - i) * int(c-'0')
		}
		if len(s) != wire.AccessNumberDigits || sum%11 != 0 || s[6] == '0' {
			t.Fatalf("taken: %q", s)
		}
	})
}

func FuzzQuery(f *testing.F) {
	hash := strings.Repeat("0f", 32)
	f.Add("app_id=a&expires=2026-11-23T12%3A01%3A00Z&hash_mpin_id=" + hash + "&hash_user_id=&mobile=1&signature=" +
		wire.Sign("key", wire.ClientSecretParts("a", hash, "", wire.Expires(noon))...))
	f.Add("count=3&hash_mpin_id=" + hash + "&signature=" + wire.Sign("key", hash))
	f.Add("hash_mpin_id=" + hash + "&signature=" + wire.PermitSignature("key", "a", hash, wire.Set{1, 3}, noon))
	f.Add("a=%zz&;&&=")
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := wire.ParseQuery(raw)
		if err != nil {
			if !errors.Is(err, wire.ErrMalformed) {
				t.Fatalf("another kind of error: %v", err)
			}
			return
		}
		documented := func(err error) {
			if err != nil && !errors.Is(err, wire.ErrMalformed) && !errors.Is(err, wire.ErrSignature) && !errors.Is(err, wire.ErrExpired) {
				t.Fatalf("another kind of error: %v", err)
			}
		}
		h, _, err := q.CheckClientSecret("key", noon)
		documented(err)
		if err == nil && len(h) != 64 {
			t.Fatalf("taken: %q", raw)
		}
		_, err = q.CheckServerSecret("key", noon)
		documented(err)
		documented(q.CheckSettings("key", noon))
		_, _, err = q.CheckPermit("a", "key", noon)
		documented(err)
		_, count, _, err := q.CheckPermits("a", "key", noon)
		documented(err)
		if err == nil && (count < 1 || count > wire.MaxPermits) {
			t.Fatalf("%d permits", count)
		}
		if again, err := wire.ParseQuery(q.Encode()); err == nil && len(again) != len(q) {
			t.Fatalf("%v came back as %v", q, again)
		}
	})
}
