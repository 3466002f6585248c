package rpa

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"slices"

	"mpinlab/sim/service"
	"mpinlab/sim/store"
	"mpinlab/sim/wire"
)

// Account is what is known of a user: the devices registered, oldest first, at
// most maxDevices of them. Anyone may begin to register as anyone, so those that
// nobody has activated make room first.
type Account struct {
	UserID  string   `json:"userId"`
	Devices []Device `json:"devices"`
}

// Device is one registration: a browser or a phone. ID is hash_mpin_id in hex.
type Device struct {
	ID         string `json:"id"`
	Name       string `json:"name,omitempty"`
	Mobile     bool   `json:"mobile"`
	Registered int64  `json:"registered"` // ms since the epoch
	Active     bool   `json:"active"`
	// Current and Revoked are in answers only.
	Current bool `json:"current,omitempty"`
	Revoked bool `json:"revoked,omitempty"`
}

const maxDevices = 32

func accountKey(userID string) string { return "user/" + userID }

func deviceID(raw []byte) string {
	h := wire.HashIdentity(raw)
	return hex.EncodeToString(h[:])
}

// errContended: others changed an account again and again.
var errContended = errors.New("the account keeps changing")

// account reads a user's account; raw is its stored form, nil where there is
// none yet.
func (s *Server) account(ctx context.Context, userID string) (a Account, raw []byte, err error) {
	results, err := s.c.Store.Do(ctx, store.Get(store.Account, accountKey(userID)))
	if err != nil {
		return a, nil, unavailable(err)
	}
	if !results[0].OK {
		return Account{UserID: userID}, nil, nil
	}
	if err := json.Unmarshal(results[0].Value, &a); err != nil {
		return a, nil, errors.New("a stored account cannot be read")
	}
	return a, results[0].Value, nil
}

// change applies f to a user's account until nobody came between.
func (s *Server) change(ctx context.Context, userID string, f func(*Account) (changed bool)) error {
	for range 100 {
		a, old, err := s.account(ctx, userID)
		if err != nil {
			return err
		}
		if !f(&a) {
			return nil
		}
		value, err := json.Marshal(a)
		if err != nil {
			return err
		}
		var ok bool
		if old == nil {
			var results []store.Result
			results, err = s.c.Store.Do(ctx, store.Create(store.Account, accountKey(userID), value, 0))
			ok = err == nil && results[0].OK
		} else {
			ok, err = s.c.Store.Swap(ctx, store.Account, accountKey(userID), old, value)
		}
		if err != nil {
			return unavailable(err)
		}
		if ok {
			return nil
		}
	}
	return unavailable(errContended)
}

// addDevice notes a registration; one that is there already is left as it is.
func (s *Server) addDevice(ctx context.Context, userID string, d Device) error {
	return s.change(ctx, userID, func(a *Account) bool {
		if slices.ContainsFunc(a.Devices, func(e Device) bool { return e.ID == d.ID }) {
			return false
		}
		a.Devices = append(a.Devices, d)
		for len(a.Devices) > maxDevices {
			i := max(0, slices.IndexFunc(a.Devices[:maxDevices], func(e Device) bool { return !e.Active }))
			a.Devices = slices.Delete(a.Devices, i, i+1)
		}
		return true
	})
}

// activated notes an activation and throws the mail away. The device is in the
// list afterwards, also if others' registrations have pushed it out.
func (s *Server) activated(ctx context.Context, id *wire.Identity, device string) error {
	if _, err := s.c.Store.Do(ctx, store.Delete(store.Account, mailKey(id.UserID))); err != nil {
		return unavailable(err)
	}
	err := s.addDevice(ctx, id.UserID, Device{
		ID: device, Mobile: id.Mobile == 1, Registered: s.c.Now().UnixMilli(), Active: true,
	})
	if err != nil {
		return err
	}
	return s.change(ctx, id.UserID, func(a *Account) bool {
		for i := range a.Devices {
			if a.Devices[i].ID == device && !a.Devices[i].Active {
				a.Devices[i].Active = true
				return true
			}
		}
		return false
	})
}

// shown fills in what is in answers only.
func (s *Server) shown(ctx context.Context, a *Account, current string) error {
	if a.Devices == nil {
		a.Devices = []Device{}
	}
	ops := make([]store.Op, len(a.Devices))
	for i, d := range a.Devices {
		ops[i] = store.Get(store.Revocation, revokedDevice(d.ID))
	}
	if len(ops) == 0 {
		return nil
	}
	results, err := s.c.Store.Do(ctx, ops...)
	if err != nil {
		return unavailable(err)
	}
	for i := range a.Devices {
		a.Devices[i].Revoked = results[i].OK
		a.Devices[i].Current = a.Devices[i].ID == current
	}
	return nil
}

// devices answers GET /devices: the account of who is logged in.
func (s *Server) devices(w http.ResponseWriter, r *http.Request) error {
	in, err := s.current(r)
	if err != nil {
		return err
	}
	a, _, err := s.account(r.Context(), in.UserID)
	if err != nil {
		return err
	}
	if err := s.shown(r.Context(), &a, in.Device); err != nil {
		return err
	}
	return service.WriteJSON(w, http.StatusOK, a)
}

// AccountAnswer is the answer to GET /admin/account.
type AccountAnswer struct {
	Account
	Revoked bool `json:"revoked"`
}

// adminAccount answers GET /admin/account?user=ID.
func (s *Server) adminAccount(w http.ResponseWriter, r *http.Request) error {
	user := r.URL.Query().Get("user")
	if err := wire.CheckUserID(user); err != nil {
		return service.Refusal(http.StatusBadRequest, "user must be a user ID", err)
	}
	a, _, err := s.account(r.Context(), user)
	if err != nil {
		return err
	}
	if err := s.shown(r.Context(), &a, ""); err != nil {
		return err
	}
	revoked, err := s.revoked(r.Context(), user, "")
	if err != nil {
		return err
	}
	return service.WriteJSON(w, http.StatusOK, AccountAnswer{a, revoked})
}
