package api

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"mpinlab/protocol"
	"mpinlab/sim/service"
	"mpinlab/sim/store"
	"mpinlab/sim/wire"
)

// ErrFull: the storage holds as many permits of the day as it may.
var ErrFull = errors.New("the storage is full for the day")

// PutPermit takes the proxy's half of a permit into the storage, in hex, until
// an hour after its day, when no server accepts it any more. The first that
// comes stays. Errors: wire.ErrMalformed, also for a day that is over or more
// than wire.MaxPermits ahead; ErrFull; the store's.
func (s *Server) PutPermit(ctx context.Context, appID string, date protocol.Date, storageID, permit string) error {
	if err := wire.CheckAppID(appID); err != nil {
		return err
	}
	if err := checkStorageID(storageID); err != nil {
		return err
	}
	if len(permit) == 0 || len(permit) > wire.MaxPoint {
		return fmt.Errorf("%w: a permit of %d digits", wire.ErrMalformed, len(permit))
	}
	if _, err := hex.DecodeString(permit); err != nil {
		return fmt.Errorf("%w: a permit is hex", wire.ErrMalformed)
	}
	now := s.service.Now()
	today, err := wire.Today(now)
	if err != nil {
		return err
	}
	if date > today+wire.MaxPermits {
		return fmt.Errorf("%w: day %d is too far ahead", wire.ErrMalformed, date)
	}
	end := time.Unix((int64(date)+1)*86400, 0).Add(time.Hour)
	ttl := end.Sub(now)
	if ttl <= 0 {
		return fmt.Errorf("%w: day %d is over", wire.ErrMalformed, date)
	}
	key := permitKey(appID, date, storageID)
	if err := s.reserve(date, today); err != nil {
		if r, e := s.c.Store.Do(ctx, store.Get(store.Permit, key)); e == nil && r[0].OK {
			return nil // it is one of those that fill it
		}
		return err
	}
	r, err := s.c.Store.Do(ctx, store.Create(store.Permit, key, []byte(permit), ttl))
	if err != nil || !r[0].OK {
		s.unreserve(date)
		return err
	}
	s.kept.Inc()
	return nil
}

// reserve counts a permit of a day and forgets the days that are over.
func (s *Server) reserve(date, today protocol.Date) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.counts, func(d protocol.Date, _ int) bool { return d < today-1 })
	if s.counts[date] >= s.c.MaxPermits {
		return ErrFull
	}
	s.counts[date]++
	return nil
}

func (s *Server) unreserve(date protocol.Date) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[date]--
}

func permitKey(appID string, date protocol.Date, storageID string) string {
	return appID + "/" + strconv.Itoa(int(date)) + "/" + storageID
}

func checkStorageID(s string) error {
	hash, set := wire.SplitSignature(s)
	if err := wire.CheckHash(hash); err != nil {
		return err
	}
	parsed, err := wire.ParseSet(set)
	if err == nil && wire.StorageID(hash, parsed) != s {
		err = fmt.Errorf("%w: a storage ID", wire.ErrMalformed)
	}
	return err
}

func parseDate(s string) (protocol.Date, error) {
	n, err := strconv.ParseInt(s, 10, 31)
	if err != nil || n < 1 || strconv.FormatInt(n, 10) != s {
		return 0, fmt.Errorf("%w: a date is a number of days", wire.ErrMalformed)
	}
	return protocol.Date(n), nil
}

// permit answers with the permit's text; anything that is not one that is kept
// is a miss.
func (s *Server) permit(w http.ResponseWriter, r *http.Request) error {
	appID, storageID := r.PathValue("appID"), r.PathValue("storageID")
	date, err := parseDate(r.PathValue("date"))
	if err != nil || wire.CheckAppID(appID) != nil || checkStorageID(storageID) != nil {
		return service.Refuse(http.StatusNotFound, "no such permit")
	}
	res, err := s.c.Store.Do(r.Context(), store.Get(store.Permit, permitKey(appID, date, storageID)))
	if err != nil {
		return unavailable(err)
	}
	if !res[0].OK {
		return service.Refuse(http.StatusNotFound, "no such permit")
	}
	w.Header().Set("Content-Type", "text/plain; charset=us-ascii")
	w.Header().Set("Content-Length", strconv.Itoa(len(res[0].Value)))
	_, err = w.Write(res[0].Value)
	return err
}

func (s *Server) putPermit(w http.ResponseWriter, r *http.Request) error {
	if !service.Bearer(r, s.c.ServiceToken) {
		return service.Refuse(http.StatusUnauthorized, "not allowed")
	}
	date, err := parseDate(r.PathValue("date"))
	if err != nil {
		return service.BadQuery(err)
	}
	var text strings.Builder
	if n, err := io.Copy(&text, io.LimitReader(r.Body, wire.MaxPoint+1)); err != nil {
		return service.BadBody(http.StatusForbidden, err)
	} else if n > wire.MaxPoint {
		return service.BadBody(http.StatusForbidden, service.ErrTooLarge)
	}
	err = s.PutPermit(r.Context(), r.PathValue("appID"), date, r.PathValue("storageID"), text.String())
	switch {
	case errors.Is(err, ErrFull):
		return &service.Error{Status: http.StatusTooManyRequests, Message: err.Error(), RetryAfter: time.Hour}
	case errors.Is(err, wire.ErrMalformed):
		return service.BadQuery(err)
	case err != nil:
		return unavailable(err)
	}
	w.WriteHeader(http.StatusOK)
	return nil
}
