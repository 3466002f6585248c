package proxy

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"mpinlab/sim/quorum"
	"mpinlab/sim/service"
	"mpinlab/sim/wire"
)

// How long what is known of an application is good, and that there is none.
const (
	knownFor   = time.Minute
	unknownFor = 5 * time.Second
)

// entry is an application with its D-TAs, or that there is none: then quorum is
// nil and key one under which no signature holds.
type entry struct {
	id, key string
	record  wire.Application
	quorum  *quorum.Quorum
	until   time.Time
}

func (e *entry) close() {
	if e.quorum != nil {
		e.quorum.Close()
	}
}

// checkRest refuses a request that names other D-TAs for the proxy to gather
// from than are left to it.
func (e *entry) checkRest(q wire.Query, set wire.Set) error {
	rest, err := e.quorum.Rest(set)
	if err != nil {
		return refusal(err)
	}
	if named, ok := q["dtas"]; ok && named != rest.String() {
		return service.Refuse(http.StatusForbidden, "malformed parameter: dtas is not what is left to the proxy")
	}
	return nil
}

// application returns the application of an ID, from memory if it was asked for
// lately.
func (s *Server) application(ctx context.Context, id string) (*entry, error) {
	now := time.Now()
	s.mu.Lock()
	e := s.apps[id]
	s.mu.Unlock()
	if e != nil && now.Before(e.until) {
		return e, nil
	}
	nobody := &entry{id: id, key: s.decoy, until: now.Add(unknownFor)}
	if wire.CheckAppID(id) != nil {
		return nobody, nil
	}
	a, err := s.c.Applications.Application(ctx, id)
	switch {
	case err == nil:
	case errors.Is(err, wire.ErrApplication):
		s.remember(nobody)
		return nobody, nil
	case e != nil && e.quorum != nil:
		return e, nil // the API is down: what was known goes on
	default:
		return nil, service.Refusal(http.StatusServiceUnavailable, "try again later", err)
	}
	if e != nil && e.quorum != nil && reflect.DeepEqual(e.record, *a) {
		fresh := *e
		fresh.until = now.Add(knownFor)
		s.remember(&fresh)
		return &fresh, nil
	}
	return s.open(a, now)
}

// open makes the quorum of an application.
func (s *Server) open(a *wire.Application, now time.Time) (*entry, error) {
	c := s.c.Quorum
	c.Suite, c.AppID, c.AppKey, c.Threshold, c.Keys = s.c.Suite, a.AppID, a.AppKey, a.Threshold, a.ShareKeys
	c.Now, c.Logger, c.Registry, c.Name = s.service.Now, s.service.Logger(), s.service.Registry(), "proxy"
	c.Members = nil
	for _, m := range s.c.Members {
		for _, k := range a.ShareKeys {
			if k.DTA == m.Index {
				c.Members = append(c.Members, m)
			}
		}
	}
	q, err := quorum.New(c)
	if err != nil {
		return nil, fmt.Errorf("application %s: %w", a.AppID, err)
	}
	e := &entry{a.AppID, a.AppKey, *a, q, now.Add(knownFor)}
	s.remember(e)
	return e, nil
}

// remember keeps an entry. Where there are too many, one of an application that
// there is not goes, so that who makes IDs up pushes no application out; else one
// that is over, or any one: it will be asked for again.
func (s *Server) remember(e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.apps[e.id]
	if old == nil && len(s.apps) >= s.c.MaxApplications {
		var victim string
		now := time.Now()
		for id, o := range s.apps {
			v := s.apps[victim]
			switch {
			case v == nil, o.quorum == nil && v.quorum != nil, (o.quorum == nil) == (v.quorum == nil) && now.After(o.until):
				victim = id
			}
		}
		old = s.apps[victim]
		delete(s.apps, victim)
	}
	s.apps[e.id] = e
	if old != nil && old.quorum != e.quorum {
		// Requests in flight go on with it; only its probing ends.
		go old.close()
	}
}
