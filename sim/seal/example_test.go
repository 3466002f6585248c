package seal_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"mpinlab/sim/seal"
)

// A D-TA seals its share under a passphrase, opens it at its next start, makes
// a backup under another passphrase, and changes its own.
func Example() {
	folder, err := os.MkdirTemp("", "seal")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	ctx := context.Background()
	under := func(passphrase string) seal.Sealer {
		s, err := seal.Parse("age", seal.Options{
			Passphrase: func() ([]byte, error) { return []byte(passphrase), nil },
			WorkFactor: 10, // quick, for an example
		})
		if err != nil {
			panic(err)
		}
		return s
	}
	const label = "dta 1 of app 7f3a, suite rfc9380/bls12-381"
	path := filepath.Join(folder, "dta1", "share")
	backup := filepath.Join(folder, "backup")
	old, next, vault := under("correct horse"), under("battery staple"), under("in the vault")

	if err := seal.Create(ctx, path, old, label, []byte("the share")); err != nil {
		panic(err)
	}
	if err := seal.Copy(ctx, label, path, old, backup, vault); err != nil {
		panic(err)
	}
	if err := seal.Reseal(ctx, label, path, old, next); err != nil {
		panic(err)
	}
	share, err := seal.Read(ctx, path, next, label)
	fmt.Printf("%s, %v\n", share, err)
	clear(share)

	_, err = seal.Read(ctx, path, old, label)
	fmt.Println(errors.Is(err, seal.ErrWrongPassphrase))
	_, err = seal.Read(ctx, path, next, "dta 2 of app 7f3a, suite rfc9380/bls12-381")
	fmt.Println(errors.Is(err, seal.ErrLabel))
	fmt.Println(seal.Create(ctx, path, next, label, []byte("a new share")) != nil)
	// Output:
	// the share, <nil>
	// true
	// true
	// true
}

// The same under a key that never leaves a token; the PIN is in a file, and the
// first Seal makes the key.
func ExampleParse_pkcs11() {
	s, err := seal.Parse(
		"pkcs11:token=mpin;object=master?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/run/mpin/pin",
		seal.Options{Create: true},
	)
	if errors.Is(err, seal.ErrUnavailable) {
		return // built without cgo
	}
	if err != nil {
		panic(err)
	}
	defer s.Close()
	fmt.Fprintln(os.Stderr, s.Describe())
}

// What a file says of itself without being opened.
func ExampleInspect() {
	s, err := seal.Parse("none", seal.Options{})
	if err != nil {
		panic(err)
	}
	sealed, err := s.Seal(context.Background(), "dta 1", []byte("demo"))
	if err != nil {
		panic(err)
	}
	info, err := seal.Inspect(sealed)
	fmt.Println(info.Kind, info.Label, err)
	fmt.Printf("%s\n", sealed)
	// Output:
	// none dta 1 <nil>
	// mpin-seal/1 none
	// label "dta 1"
	// warning "NOT ENCRYPTED: for demonstrations only"
	// sum "01ed6cf5ee0e47e1439b4b3269653f4ea68998761e0d1a906c13a201f8b70ebf"
	//
	// demo
}
