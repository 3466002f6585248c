package deploy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"mpinlab/sim/dta"
	"mpinlab/sim/seal"
)

// keystore keeps a D-TA's shares as sealed files of one folder, one for each
// application.
type keystore struct {
	folder string
	index  int
	suite  string
	sealer seal.Sealer
}

var _ dta.Keystore = (*keystore)(nil)

const sealedSuffix = ".sealed"

func (k *keystore) path(name string) string { return filepath.Join(k.folder, name+sealedSuffix) }

func (k *keystore) label(name string) string {
	return fmt.Sprintf("dta %d of app %s, suite %s", k.index, name, k.suite)
}

func (k *keystore) Load(ctx context.Context, name string) ([]byte, error) {
	b, err := seal.Read(ctx, k.path(name), k.sealer, k.label(name))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", k.path(name), err)
	}
	return b, nil
}

func (k *keystore) Create(ctx context.Context, name string, secret []byte) error {
	if err := seal.Create(ctx, k.path(name), k.sealer, k.label(name), secret); err != nil {
		return fmt.Errorf("%s: %w", k.path(name), err)
	}
	return nil
}

func (k *keystore) Names(context.Context) ([]string, error) {
	entries, err := os.ReadDir(k.folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), sealedSuffix); ok {
			names = append(names, name)
		}
	}
	return names, nil
}
