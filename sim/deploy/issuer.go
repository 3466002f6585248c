package deploy

import (
	"context"
	"fmt"
	"path/filepath"

	"mpinlab/protocol"
	"mpinlab/sim/dta"
	"mpinlab/sim/seal"
	"mpinlab/sim/wire"
)

// Issuer plays all D-TAs of a deployment whose data folder is at hand, unsealed:
// for measuring with users who cost a few multiplications instead of a
// registration over the wire, and are the same to the servers.
type Issuer struct {
	master *protocol.MasterSecret
}

// OpenIssuer reads the D-TAs' shares out of a data folder that was set up with
// the suite and sealed with none.
func OpenIssuer(ctx context.Context, suite *protocol.Suite, data string) (*Issuer, error) {
	about, err := readSettings(data)
	if err != nil {
		return nil, err
	}
	sealer, err := seal.Parse(seal.KindNone, seal.Options{})
	if err != nil {
		return nil, err
	}
	defer sealer.Close()
	var set wire.Set
	n := about.DTAs
	if about.Threshold > 0 {
		n = about.Threshold // any set of so many has the same sum
		for i := range n {
			set = append(set, i+1)
		}
	}
	shares := make([]*protocol.MasterSecret, n)
	for i := range shares {
		path := filepath.Join(data, secretsFolder, dtaName(i+1), about.AppID+".sealed")
		secret, err := seal.Read(ctx, path, sealer, fmt.Sprintf("dta %d of app %s, suite %s", i+1, about.AppID, about.Suite))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrData, err)
		}
		app, err := dta.DecodeApplication(suite, secret)
		clear(secret)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrData, dtaName(i+1), err)
		}
		if shares[i], err = app.Issuer.Master(append(wire.Set(nil), set...)); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrData, dtaName(i+1), err)
		}
	}
	master, err := protocol.CombineMasterSecrets(shares...)
	if err != nil {
		return nil, err
	}
	return &Issuer{master}, nil
}

// Secret is s·A.
func (i *Issuer) Secret(id *protocol.Identity) (*protocol.ClientSecret, error) {
	share, err := i.master.ClientShare(id)
	if err != nil {
		return nil, err
	}
	return protocol.CombineClientSecrets(share)
}

// Permit is s·A_T of a day.
func (i *Issuer) Permit(id *protocol.Identity, date protocol.Date) (*protocol.Permit, error) {
	share, err := i.master.PermitShare(id, date)
	if err != nil {
		return nil, err
	}
	return protocol.CombinePermits(share)
}

// ServerSecret is s·Q.
func (i *Issuer) ServerSecret() (*protocol.ServerSecret, error) {
	return protocol.CombineServerSecrets(i.master.ServerShare())
}
