package deploy

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"sync"

	"mpinlab/sim/seal"
)

// credentials are the application's, and the tokens by which MIRACL's servers
// know each other. All nodes that need some read them from one sealed file.
type credentials struct {
	AppID  string `json:"app_id"`
	AppKey string `json:"app_key"`
	// ServiceToken is the proxy's for the API, AdminToken the operator's.
	ServiceToken string `json:"service_token"`
	AdminToken   string `json:"admin_token"`
}

// vault opens the sealed files of a data folder. One process has one, so that a
// passphrase is asked for and stretched once for each file.
type vault struct {
	data   string
	sealer seal.Sealer

	mu   sync.Mutex
	held *credentials
}

const credentialsLabel = "application credentials"

func newVault(c *Config) (*vault, error) {
	s, err := seal.Parse(c.Seal, seal.Options{Create: true, WorkFactor: c.sealWork})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return &vault{data: c.Data, sealer: s}, nil
}

// credentials reads them once.
func (v *vault) credentials(ctx context.Context) (*credentials, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.held != nil {
		return v.held, nil
	}
	path := filepath.Join(v.data, secretsFolder, credentialsFile)
	b, err := seal.Read(ctx, path, v.sealer, credentialsLabel)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	defer clear(b)
	var c credentials
	if err := json.Unmarshal(b, &c); err != nil {
		return nil, fmt.Errorf("%w: %s is not in the form that is known", ErrData, path)
	}
	v.held = &c
	return v.held, nil
}

// keystore returns D-TA i's.
func (v *vault) keystore(c *Config, folder string, i int) *keystore {
	return &keystore{folder: filepath.Join(v.data, folder, dtaName(i)), index: i, suite: c.Suite, sealer: v.sealer}
}

func (v *vault) close() error { return v.sealer.Close() }
