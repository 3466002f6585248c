package dta

import (
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"

	"mpinlab/protocol"
	"mpinlab/sim/service"
	"mpinlab/sim/wire"
)

func (s *Server) clientSecret(w http.ResponseWriter, r *http.Request) error {
	q, err := wire.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return service.BadQuery(err)
	}
	app := s.application(q)
	hash, set, err := q.CheckClientSecret(app.Key, s.service.Now())
	if err != nil {
		return service.BadQuery(err)
	}
	m, err := master(app, set)
	if err != nil {
		return err
	}
	service.Note(w, slog.String("app", app.ID), slog.String("idHash", hash[:8]))
	id, err := wire.IdentityOf(s.c.Suite, hash)
	if err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	share, proof, err := m.ProveClientShare(id, s.c.Rand)
	if err != nil {
		return fmt.Errorf("issuing: %w", err)
	}
	s.issued.clients.Inc()
	p := proved(app, share.Bytes(), proof)
	return service.WriteJSON(w, http.StatusOK, wire.ClientSecretAnswer{
		ClientSecret: p.Share, Message: "OK", Shares: []wire.ProvedShare{p},
	})
}

func (s *Server) serverSecret(w http.ResponseWriter, r *http.Request) error {
	q, err := wire.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return service.BadQuery(err)
	}
	app := s.application(q)
	set, err := q.CheckServerSecret(app.Key, s.service.Now())
	if err != nil {
		return service.BadQuery(err)
	}
	m, err := master(app, set)
	if err != nil {
		return err
	}
	service.Note(w, slog.String("app", app.ID))
	s.issued.servers.Inc()
	p := proved(app, m.ServerShare().Bytes(), nil)
	return service.WriteJSON(w, http.StatusOK, wire.ServerSecretAnswer{
		ServerSecret: p.Share, StartTime: s.start.UnixMilli(), Message: "OK", Shares: []wire.ProvedShare{p},
	})
}

func (s *Server) timePermit(w http.ResponseWriter, r *http.Request) error {
	q, err := wire.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return service.BadQuery(err)
	}
	app := s.application(q)
	hash, set, err := q.CheckPermit(app.ID, app.Key, s.service.Now())
	if err != nil {
		return service.BadQuery(err)
	}
	first, permits, err := s.permits(w, app, q, hash, set, 1)
	if err != nil {
		return err
	}
	return service.WriteJSON(w, http.StatusOK, wire.PermitAnswer{
		TimePermit: permits[0].Share, Date: int(first), Message: "OK", Shares: permits,
	})
}

func (s *Server) timePermits(w http.ResponseWriter, r *http.Request) error {
	q, err := wire.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return service.BadQuery(err)
	}
	app := s.application(q)
	hash, count, set, err := q.CheckPermits(app.ID, app.Key, s.service.Now())
	if err != nil {
		return service.BadQuery(err)
	}
	first, permits, err := s.permits(w, app, q, hash, set, count)
	if err != nil {
		return err
	}
	a := wire.PermitsAnswer{TimePermits: map[string]string{}, Message: "OK", Shares: map[string][]wire.ProvedShare{}}
	for i, p := range permits {
		date := strconv.Itoa(int(first) + i)
		a.TimePermits[date], a.Shares[date] = p.Share, permits[i:i+1]
	}
	return service.WriteJSON(w, http.StatusOK, a)
}

// permits issues shares of the permits of count days from today on.
func (s *Server) permits(w http.ResponseWriter, app *Application, q wire.Query, hash string, set wire.Set, count int) (first protocol.Date, list []wire.ProvedShare, err error) {
	if _, ours := q["expires"]; !ours && app.Issuer.Threshold() != 0 {
		return 0, nil, service.Refuse(http.StatusForbidden, "missing argument expires")
	}
	m, err := master(app, set)
	if err != nil {
		return 0, nil, err
	}
	service.Note(w, slog.String("app", app.ID), slog.String("idHash", hash[:8]))
	first, err = wire.Today(s.service.Now())
	if err != nil {
		return 0, nil, fmt.Errorf("today: %w", err)
	}
	id, err := wire.IdentityOf(s.c.Suite, hash)
	if err != nil {
		return 0, nil, fmt.Errorf("identity: %w", err)
	}
	for i := range count {
		share, proof, err := m.ProvePermitShare(id, first+protocol.Date(i), s.c.Rand)
		if err != nil {
			return 0, nil, fmt.Errorf("issuing: %w", err)
		}
		list = append(list, proved(app, share.Bytes(), proof))
	}
	s.issued.permits.Add(uint64(count))
	return first, list, nil
}

func master(app *Application, set wire.Set) (*protocol.MasterSecret, error) {
	m, err := app.Issuer.Master(set)
	if errors.Is(err, ErrSet) {
		return nil, service.Refusal(http.StatusForbidden, err.Error(), nil)
	}
	return m, err
}

func proved(app *Application, share, proof []byte) wire.ProvedShare {
	return wire.ProvedShare{DTA: app.Issuer.Index(), Share: hex.EncodeToString(share), Proof: hex.EncodeToString(proof)}
}

// newApplication draws a share for an application that was registered with the
// API, in an additive deployment, and answers with its key. It may be asked
// again: the answer is the same, and 409 for another key.
func (s *Server) newApplication(w http.ResponseWriter, r *http.Request) error {
	if !service.Bearer(r, s.c.AdminToken) {
		return service.Refuse(http.StatusUnauthorized, "not allowed")
	}
	var req wire.Application
	if err := service.ReadJSON(r, 4<<10, &req); err != nil {
		return service.BadBody(http.StatusBadRequest, err)
	}
	app := &Application{ID: req.AppID, Key: req.AppKey}
	if err := app.check(); err != nil {
		return service.Refuse(http.StatusBadRequest, err.Error())
	}
	if req.Threshold != 0 {
		return service.Refuse(http.StatusConflict, "the master secret of a threshold deployment is made in a ceremony")
	}
	m, err := s.c.Suite.NewMasterSecret(s.c.Rand)
	if err != nil {
		return fmt.Errorf("master secret: %w", err)
	}
	if app.Issuer, err = Additive(s.c.Index, m); err != nil {
		return err
	}
	switch err := s.Add(r.Context(), app); {
	case errors.Is(err, ErrExists):
		old := (*s.apps.Load())[app.ID]
		if wire.Verify(old.Key, wire.Sign(app.Key, "same"), "same") != nil {
			return service.Refusal(http.StatusConflict, "the application exists with another key", err)
		}
		app = old
	case errors.Is(err, ErrFull):
		return service.Refusal(http.StatusConflict, "too many applications", err)
	case err != nil:
		return err
	}
	service.Note(w, slog.String("app", app.ID))
	return service.WriteJSON(w, http.StatusOK, shareKey(app))
}
