package seal

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestURI(t *testing.T) {
	for s, want := range map[string]*uri{
		"pkcs11:token=mpin;object=master?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/run/mpin/pin": {
			token: "mpin", object: "master", modulePath: "/usr/lib/softhsm/libsofthsm2.so", pinSource: "/run/mpin/pin"},
		"pkcs11:serial=0a1b;id=%00%ff?module-path=m.so": {
			serial: "0a1b", id: []byte{0, 255}, modulePath: "m.so"},
		"pkcs11:object=my-key%20%2f;token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;type=secret-key?pin-value=the-pin&module-path=/a%3fb": {
			token: "The Software PKCS#11 Softtoken", manufacturer: "Snake Oil, Inc.", model: "1.0", object: "my-key /",
			modulePath: "/a?b", pinValue: []byte("the-pin")},
		"pkcs11:token=a&b;object=%C3%A9?module-path=/m?&pin-source=file:///etc/token_pin": {
			token: "a&b", object: "é", modulePath: "/m?", pinSource: "/etc/token_pin"},
		"pkcs11:token=t;object=o?pin-source=/etc/token_pin&module-path=/m": {
			token: "t", object: "o", modulePath: "/m", pinSource: "/etc/token_pin"},
	} {
		got, err := parseURI(s)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", s, got, err)
		}
	}
}

func TestBadURIs(t *testing.T) {
	good := "pkcs11:token=t;object=o?module-path=/m"
	if _, err := parseURI(good); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{
		"", "pkcs11", "PKCS11:token=t;object=o?module-path=/m", "pkcs11:", "pkcs11:?", "pkcs11:token=t;object=o",
		"pkcs11:token=t;object=o?", "pkcs11:object=o?module-path=/m", "pkcs11:token=t?module-path=/m",
		"pkcs11:token=t;object=o;?module-path=/m", "pkcs11:token=t;;object=o?module-path=/m",
		"pkcs11:token=;object=o?module-path=/m", "pkcs11:token;object=o?module-path=/m",
		"pkcs11:token=t;object=o;object=o?module-path=/m", "pkcs11:token=t;object=o;type=private?module-path=/m",
		"pkcs11:token=t;object=o;slot-id=1?module-path=/m", "pkcs11:token=t;object=o;module-path=/m",
		"pkcs11:token=t;object=o;x-vendor=1?module-path=/m", "pkcs11:token=t/u;object=o?module-path=/m",
		"pkcs11:token=t u;object=o?module-path=/m", "pkcs11:token=t#;object=o?module-path=/m",
		"pkcs11:token=%;object=o?module-path=/m", "pkcs11:token=%4;object=o?module-path=/m",
		"pkcs11:token=%zz;object=o?module-path=/m", "pkcs11:token=%00;object=o?module-path=/m",
		"pkcs11:token=%ff;object=o?module-path=/m", "pkcs11:token=é;object=o?module-path=/m",
		good + "&", good + "&module-name=x", good + "&token=t", good + "&pin-value=", good + "&pin-value=1%0a2",
		good + "&pin-source=|cat%20/pin", good + "&pin-source=file:pin", good + "&pin-source=file://host/pin",
		good + "&pin-source=file:////pin", good + "&pin-source=/pin&pin-value=1234",
		good + "&pin-source=https://example.com/pin",
		"pkcs11:token=t;object=o;id=" + strings.Repeat("a", maxKeyID+1) + "?module-path=/m",
		good + strings.Repeat("m", maxURI),
	} {
		if u, err := parseURI(s); !errors.Is(err, ErrSpec) || u != nil {
			t.Errorf("%s: %+v, %v", s, u, err)
		}
	}
}

func FuzzURI(f *testing.F) {
	for _, s := range []string{
		"pkcs11:token=mpin;object=master?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/run/mpin/pin",
		"pkcs11:serial=0a1b;id=%00%ff;type=secret-key;manufacturer=a;model=b?module-path=m.so&pin-value=SECRETPIN",
		"pkcs11:token=t;object=o?pin-value=SECRETPIN", "pkcs11:token=SECRETPIN;token=SECRETPIN", "pkcs11:SECRETPIN=1?%",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := parseURI(s)
		if err != nil {
			// Texts name attributes and repeat nothing of the input.
			if !errors.Is(err, ErrSpec) || strings.Contains(err.Error(), "SECRETPIN") {
				t.Fatal(err)
			}
			return
		}
		if u.modulePath == "" || u.object == "" && u.id == nil || u.token == "" && u.serial == "" || len(u.id) > maxKeyID {
			t.Fatalf("%+v", u)
		}
		without := *u
		without.pinValue, without.pinSource = nil, ""
		if u.describe() != without.describe() {
			t.Fatal("the description tells of the PIN")
		}
	})
}
