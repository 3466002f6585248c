package deploy

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"mpinlab/protocol"
	"mpinlab/protocol/threshold"
	"mpinlab/sim/dta"
	"mpinlab/sim/seal"
	"mpinlab/sim/wire"
)

// What a deployment keeps in its data folder:
//
//	set-up/deployment.json      suite, D-TAs, their pinned share keys: no secret
//	set-up/application.sealed   the application's credentials
//	set-up/dta-1/APP.sealed     each D-TA's share of the master secret
//	rps.db rpa.db api.db        state, where the store is bbolt
//	redis/                      that of the deployment's own redis-server
//
// set-up is made under another name and renamed when it is whole.
const (
	secretsFolder   = "set-up"
	unfinished      = "set-up.unfinished"
	settingsFile    = "deployment.json"
	credentialsFile = "application.sealed"
)

// ErrData: a data folder that does not fit the configuration, or is damaged.
var ErrData = errors.New("data folder")

// settings is deployment.json.
type settings struct {
	Version   int             `json:"version"`
	Suite     string          `json:"suite"`
	DTAs      int             `json:"dtas"`
	Threshold int             `json:"threshold"`
	ShareKeys []wire.ShareKey `json:"shareKeys"`
	AppID     string          `json:"appId"`
}

const settingsVersion = 1

func readSettings(data string) (*settings, error) {
	path := filepath.Join(data, secretsFolder, settingsFile)
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var s settings
	if err := json.Unmarshal(b, &s); err != nil || s.Version != settingsVersion {
		return nil, fmt.Errorf("%w: %s is damaged or of another version: restore it from a backup, or choose another folder",
			ErrData, path)
	}
	return &s, nil
}

// fits refuses a configuration that is not the one of the set-up: users' tokens
// would be worth nothing.
func (s *settings) fits(c *Config) error {
	for _, d := range []struct {
		flag        string
		there, here any
	}{{"suite", s.Suite, c.Suite}, {"dtas", s.DTAs, c.DTAs}, {"threshold", s.Threshold, c.Threshold}} {
		if d.there != d.here {
			return fmt.Errorf("%w: %s was set up with --%s %v, not %v: give that, or another --data", ErrData, c.Data, d.flag, d.there, d.here)
		}
	}
	if len(s.ShareKeys) != s.DTAs {
		return fmt.Errorf("%w: %s names %d share keys for %d D-TAs: restore it from a backup", ErrData, settingsFile, len(s.ShareKeys), s.DTAs)
	}
	return nil
}

func dtaName(i int) string { return fmt.Sprintf("dta-%d", i) }

// generate makes the D-TAs' shares. Additive ones are drawn by each for itself;
// those of a threshold scheme come out of the joint generation of package
// threshold, so that nobody ever has the master secret. All D-TAs are played
// here, since they start on one machine; their files go to their own.
func generate(c *Config, s *protocol.Suite) ([]dta.Issuer, error) {
	if c.Threshold > 0 {
		return generateThreshold(c, s)
	}
	issuers := make([]dta.Issuer, c.DTAs)
	for i := range issuers {
		m, err := s.NewMasterSecret(nil)
		if err != nil {
			return nil, err
		}
		if issuers[i], err = dta.Additive(i+1, m); err != nil {
			return nil, err
		}
	}
	return issuers, nil
}

func generateThreshold(c *Config, s *protocol.Suite) ([]dta.Issuer, error) {
	session := make([]byte, 32)
	if _, err := rand.Read(session); err != nil {
		return nil, err
	}
	ceremony, err := threshold.NewGeneration(s, c.Threshold, c.DTAs, session)
	if err != nil {
		return nil, err
	}
	board := threshold.NewBoard(ceremony)
	receivers := make([]*threshold.Receiver, c.DTAs)
	for i := range receivers {
		if receivers[i], err = threshold.NewReceiver(board, i+1); err != nil {
			return nil, err
		}
	}
	for i := range c.DTAs {
		dealer, err := ceremony.NewDealer(i+1, nil, nil)
		if err != nil {
			return nil, err
		}
		if err := board.Deal(dealer.Deal()); err != nil {
			return nil, err
		}
		for j, r := range receivers {
			private, err := dealer.SubShare(j + 1)
			if err == nil {
				err = r.SubShare(private)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	if err := errors.Join(board.EndDealing(), board.EndComplaints()); err != nil {
		return nil, err
	}
	if faults, err := board.Close(); err != nil || len(faults) > 0 {
		return nil, fmt.Errorf("generating the master secret: %d at fault: %w", len(faults), err)
	}
	issuers := make([]dta.Issuer, c.DTAs)
	for i, r := range receivers {
		share, err := r.Finish(nil)
		if err != nil {
			return nil, err
		}
		issuers[i] = dta.Shared(share)
	}
	return issuers, nil
}

// setUp makes a new deployment's secrets, or finds that there is one and that
// it fits.
func setUp(ctx context.Context, c *Config, s *protocol.Suite, v *vault) (*settings, error) {
	st, err := readSettings(c.Data)
	if err == nil {
		return st, st.fits(c)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if c.Role != RoleAll {
		return nil, fmt.Errorf("%w: no deployment is set up in %s: start it there once with --role all, or copy its files", ErrData, c.Data)
	}
	if _, err := os.Stat(filepath.Join(c.Data, secretsFolder)); err == nil {
		return nil, fmt.Errorf("%w: %s has no %s: restore it from a backup, or choose another folder", ErrData, filepath.Join(c.Data, secretsFolder), settingsFile)
	}
	draft := filepath.Join(c.Data, unfinished)
	// Left by a set-up that was cut short: nobody was issued anything.
	if err := os.RemoveAll(draft); err != nil {
		return nil, err
	}
	cred, err := newCredentials()
	if err != nil {
		return nil, err
	}
	issuers, err := generate(c, s)
	if err != nil {
		return nil, err
	}
	st = &settings{Version: settingsVersion, Suite: c.Suite, DTAs: c.DTAs, Threshold: c.Threshold, AppID: cred.AppID}
	for _, issuer := range issuers {
		app := &dta.Application{ID: cred.AppID, Key: cred.AppKey, Issuer: issuer}
		if err := app.Save(ctx, v.keystore(c, unfinished, issuer.Index())); err != nil {
			return nil, err
		}
		st.ShareKeys = append(st.ShareKeys, wire.ShareKey{DTA: issuer.Index(), Key: hex.EncodeToString(issuer.Key().Bytes())})
	}
	b, err := json.Marshal(cred)
	if err != nil {
		return nil, err
	}
	defer clear(b)
	if err := seal.Create(ctx, filepath.Join(draft, credentialsFile), v.sealer, credentialsLabel, b); err != nil {
		return nil, err
	}
	if err := writeSettings(filepath.Join(draft, settingsFile), st); err != nil {
		return nil, err
	}
	if err := errors.Join(syncFolder(draft), os.Rename(draft, filepath.Join(c.Data, secretsFolder)), syncFolder(c.Data)); err != nil {
		return nil, err
	}
	return st, nil
}

func newCredentials() (*credentials, error) {
	random := make([]byte, 16+3*32)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	text := hex.EncodeToString(random)
	return &credentials{AppID: text[:32], AppKey: text[32:96], ServiceToken: text[96:160], AdminToken: text[160:]}, nil
}

func writeSettings(path string, st *settings) error {
	b, err := json.MarshalIndent(st, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	return errors.Join(err, f.Sync(), f.Close())
}

func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
