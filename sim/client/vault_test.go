package client

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// cheap is a passphrase that costs little.
func cheap(text string) VaultKey { return &passphrase{[]byte(text), 1, 8 << 10} }

// put sets a vault's contents.
func put(t *testing.T, v Vault, s string) error {
	t.Helper()
	return v.Update(t.Context(), func([]byte) ([]byte, error) { return []byte(s), nil })
}

func TestFileVault(t *testing.T) {
	folder := t.TempDir()
	for name, key := range map[string]VaultKey{"passphrase": cheap("sesame"), "device": DeviceKey(filepath.Join(folder, "key"))} {
		path := filepath.Join(folder, "new", name)
		v := OpenFileVault(path, key)
		if b, err := v.Load(t.Context()); b != nil || err != nil {
			t.Fatalf("%s: a vault that is not there: %q %v", name, b, err)
		}
		for _, s := range []string{"one", "", "three"} {
			if err := put(t, v, s); err != nil {
				t.Fatal(err)
			}
			for _, v := range []*FileVault{v, OpenFileVault(path, key)} {
				if b, err := v.Load(t.Context()); err != nil || string(b) != s {
					t.Errorf("%s: %q %v, want %q", name, b, err, s)
				}
			}
		}
		no := errors.New("no")
		want(t, v.Update(t.Context(), func([]byte) ([]byte, error) { return nil, no }), no)
		if b, _ := v.Load(t.Context()); string(b) != "three" {
			t.Errorf("%s: an update that failed left %q", name, b)
		}
		for _, file := range []string{path, filepath.Join(folder, "key")} {
			if info, err := os.Stat(file); err == nil && info.Mode().Perm() != 0o600 {
				t.Errorf("%s has mode %o", file, info.Mode().Perm())
			}
		}
		if b := must(os.ReadFile(path)); bytes.Contains(b, []byte("three")) {
			t.Errorf("%s: the contents are in the file", name)
		}
		if left := must(filepath.Glob(filepath.Join(folder, "new", ".*"))); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
	}
}

// No byte of a vault can be changed, and no byte left out, unnoticed.
func TestTamperedVault(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v")
	key := DeviceKey(path + ".key")
	v := OpenFileVault(path, key)
	if err := put(t, v, "secret"); err != nil {
		t.Fatal(err)
	}
	good := must(os.ReadFile(path))
	refused := func(what string, b []byte) {
		t.Helper()
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := OpenFileVault(path, key).Load(t.Context())
		if b != nil || !errors.Is(err, ErrLocked) && !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %q %v", what, b, err)
		}
		if err := put(t, OpenFileVault(path, key), "over it"); err == nil {
			t.Errorf("%s: it was written over", what)
		}
	}
	for i := range good {
		b := bytes.Clone(good)
		b[i] ^= 1
		refused(fmt.Sprintf("byte %d changed", i), b)
	}
	for i := range good {
		refused(fmt.Sprintf("cut to %d bytes", i), good[:i])
	}
	refused("a byte more", append(bytes.Clone(good), 0))
	refused("too long", make([]byte, MaxVault+maxHeader+100))
}

func TestWrongKeys(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "v")
	if err := put(t, OpenFileVault(path, cheap("right")), "secret"); err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]VaultKey{"another passphrase": cheap("wrong"), "a device key": DeviceKey(path + ".key")} {
		if _, err := OpenFileVault(path, key).Load(t.Context()); !errors.Is(err, ErrLocked) {
			t.Errorf("%s: %v", name, err)
		}
	}
	path = filepath.Join(folder, "w")
	file := path + ".key"
	key := DeviceKey(file)
	if err := put(t, OpenFileVault(path, key), "secret"); err != nil {
		t.Fatal(err)
	}
	locked := func(what string) {
		t.Helper()
		if _, err := OpenFileVault(path, key).Load(t.Context()); !errors.Is(err, ErrLocked) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := OpenFileVault(path, cheap("x")).Load(t.Context()); !errors.Is(err, ErrLocked) {
		t.Errorf("a passphrase: %v", err)
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	locked("a key that others can read")
	if err := os.WriteFile(file, []byte("00"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, 0o600); err != nil {
		t.Fatal(err)
	}
	locked("a short key")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	locked("no key")
}

// A file cannot make its reader work without end.
func TestVaultCost(t *testing.T) {
	for _, h := range []vaultHeader{
		{Time: 1 << 31, Memory: 8, Lanes: 1}, {Time: 1, Memory: 1 << 31, Lanes: 1}, {Time: 1, Memory: 8, Lanes: 255}, {},
	} {
		h.Key, h.Salt = "argon2id", "00112233445566778899aabbccddeeff"
		if _, err := cheap("x").derive(h); !errors.Is(err, ErrDamaged) {
			t.Errorf("%+v: %v", h, err)
		}
	}
}

// Many who change a wallet at the same time, over several handles of the vault
// as over several processes, lose nothing.
func TestConcurrentWallets(t *testing.T) {
	path := filepath.Join(t.TempDir(), "v")
	s := newService(t, 0)
	c := s.open(t)
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			w := NewWallet(OpenFileVault(path, DeviceKey(path+".key")))
			d := NewDevice(c, w)
			id, err := d.Register(t.Context(), Registration{UserID: fmt.Sprint("user", i)})
			if err == nil {
				err = d.Activate(t.Context(), id, newPIN(t, "1234"), 0)
			}
			errs[i] = err
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	w := NewWallet(OpenFileVault(path, DeviceKey(path+".key")))
	ids := must(w.List(t.Context()))
	if len(ids) != len(errs) {
		t.Errorf("%d identities", len(ids))
	}
	for _, id := range ids {
		login(t, c, id, "1234")
	}
}
