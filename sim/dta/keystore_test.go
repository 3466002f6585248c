package dta_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"mpinlab/backends"
	"mpinlab/protocol"
	"mpinlab/protocol/threshold"
	"mpinlab/sim/dta"
	"mpinlab/sim/dta/dtatest"
)

// memory is a keystore that forgets with the process.
type memory struct {
	m    map[string][]byte
	fail error
}

func (k *memory) Load(_ context.Context, name string) ([]byte, error) {
	b, ok := k.m[name]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return slices.Clone(b), k.fail
}

func (k *memory) Create(_ context.Context, name string, secret []byte) error {
	if _, ok := k.m[name]; ok {
		return fs.ErrExist
	}
	if k.fail == nil {
		k.m[name] = slices.Clone(secret)
	}
	return k.fail
}

func (k *memory) Names(context.Context) ([]string, error) {
	var names []string
	for n := range k.m {
		names = append(names, n)
	}
	return names, k.fail
}

// applications of both kinds, and their suite.
func applications(t testing.TB) (*protocol.Suite, []*dta.Application) {
	t.Helper()
	s := dtatest.Suite(t)
	additive, err := dta.NewApplication(s, 3, "additive", "key", nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.NewMasterSecret(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, shares, err := threshold.Split(s, m, 2, 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s, []*dta.Application{additive, {ID: "shared", Key: "key", Issuer: dta.Shared(shares[2])}}
}

func TestKeystoreRoundTrip(t *testing.T) {
	s, apps := applications(t)
	k := &memory{m: map[string][]byte{}}
	ctx := context.Background()
	for _, a := range apps {
		noError(t, "save", a.Save(ctx, k))
		if err := a.Save(ctx, k); !errors.Is(err, fs.ErrExist) {
			t.Errorf("saved over: %v", err)
		}
	}
	list, err := dta.LoadApplications(ctx, s, k)
	noError(t, "load", err)
	if len(list) != len(apps) {
		t.Fatalf("%d applications", len(list))
	}
	for _, a := range apps {
		i := slices.IndexFunc(list, func(b *dta.Application) bool { return b.ID == a.ID })
		if i < 0 {
			t.Fatalf("%s is lost", a.ID)
		}
		b := list[i]
		if b.Key != a.Key || b.Issuer.Index() != 3 || b.Issuer.Threshold() != a.Issuer.Threshold() ||
			!bytes.Equal(b.Issuer.Key().Bytes(), a.Issuer.Key().Bytes()) {
			t.Errorf("%s came back as another", a.ID)
		}
	}
	k.m["other"] = k.m["shared"]
	if _, err := dta.LoadApplications(ctx, s, k); !errors.Is(err, dta.ErrKeystore) {
		t.Errorf("under another's name: %v", err)
	}
}

// TestKeystoreRefuses: what is not this suite's or not whole is refused, and the
// error quotes none of it.
func TestKeystoreRefuses(t *testing.T) {
	s, apps := applications(t)
	other := dtatest.SuiteOf(t, protocol.RFC9380, backends.BN254)
	for _, a := range apps {
		b, err := a.Bytes()
		noError(t, "bytes", err)
		cases := map[string][]byte{
			"empty": nil, "cut": b[:len(b)-2], "a list": []byte("[]"),
			"version": bytes.Replace(b, []byte(`"version":1`), []byte(`"version":2`), 1),
			"index":   bytes.Replace(b, []byte(`"dta":3`), []byte(`"dta":300`), 1),
			"no ID":   bytes.Replace(b, []byte(`"app_id":"`), []byte(`"app_id":"/`), 1),
			"share":   bytes.Replace(b, []byte(`"share":"`), []byte(`"share":"AAAA`), 1),
		}
		for name, bad := range cases {
			if _, err := dta.DecodeApplication(s, bad); !errors.Is(err, dta.ErrKeystore) {
				t.Errorf("%s, %s: %v", a.ID, name, err)
			}
		}
		_, err = dta.DecodeApplication(other, b)
		if !errors.Is(err, dta.ErrKeystore) || !strings.Contains(err.Error(), "bls12-381") {
			t.Errorf("%s, other suite: %v", a.ID, err)
		}
	}
}

func FuzzDecodeApplication(f *testing.F) {
	s, apps := applications(f)
	for _, a := range apps {
		b, err := a.Bytes()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"version":1,"suite":"rfc9380/bls12-381","app_id":"a","app_key":"k","dta":1,"share":"AA==","group":"AA=="}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := dta.DecodeApplication(s, b)
		if err != nil {
			if !errors.Is(err, dta.ErrKeystore) {
				t.Fatalf("another kind of error: %v", err)
			}
			return
		}
		again, err := a.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if c, err := dta.DecodeApplication(s, again); err != nil || !bytes.Equal(c.Issuer.Key().Bytes(), a.Issuer.Key().Bytes()) {
			t.Fatalf("does not come back: %v", err)
		}
	})
}
