package rpa

import (
	"context"
	"net/http"
	"slices"

	"mpinlab/sim/service"
	"mpinlab/sim/store"
	"mpinlab/sim/wire"
)

// Revocation has two grains: a user, with every device he has or will have, and
// one device. Either way the RPS's question for permits is answered with 403,
// so that no later day's login can succeed, and this application opens no
// session and ends those there are, at once.

func revokedUser(userID string) string   { return "user/" + userID }
func revokedDevice(device string) string { return "device/" + device }

func (s *Server) revoked(ctx context.Context, userID, device string) (bool, error) {
	results, err := s.c.Store.Do(ctx,
		store.Get(store.Revocation, revokedUser(userID)),
		store.Get(store.Revocation, revokedDevice(device)))
	if err != nil {
		return false, unavailable(err)
	}
	return results[0].OK || results[1].OK, nil
}

// permitUser answers GET /mpinPermitUser?mpin_id=: 200, 403 for the revoked,
// 400 for what is no identity.
func (s *Server) permitUser(w http.ResponseWriter, r *http.Request) error {
	mpinID := r.URL.Query().Get("mpin_id")
	id, err := wire.ParseIdentity(mpinID)
	if err != nil {
		return service.Refusal(http.StatusBadRequest, "mpin_id must be an identity", err)
	}
	raw, err := wire.RawIdentity(mpinID)
	if err != nil {
		return service.Refusal(http.StatusBadRequest, "mpin_id must be an identity", err)
	}
	revoked, err := s.revoked(r.Context(), id.UserID, deviceID(raw))
	if err != nil {
		return err
	}
	if revoked {
		s.metrics.permitsRefused.Inc()
		return errRevoked
	}
	return service.WriteJSON(w, http.StatusOK, done)
}

// RevokeRequest says who is to be revoked, or no longer: a user, or one device
// by its ID (hash_mpin_id) or its mpinId.
type RevokeRequest struct {
	UserID string `json:"userId,omitempty"`
	Device string `json:"device,omitempty"`
	MpinID string `json:"mpinId,omitempty"`
}

// key returns the store's key for what the request is about.
func (q *RevokeRequest) key() (string, error) {
	bad := service.Refuse(http.StatusBadRequest, "exactly one of userId, device and mpinId is needed")
	switch {
	case q.UserID != "" && q.Device == "" && q.MpinID == "":
		if err := wire.CheckUserID(q.UserID); err != nil {
			return "", service.Refusal(http.StatusBadRequest, "malformed userId", err)
		}
		return revokedUser(q.UserID), nil
	case q.Device != "" && q.UserID == "" && q.MpinID == "":
		if len(q.Device) != 64 || !isHex(q.Device, 64) {
			return "", service.Refuse(http.StatusBadRequest, "a device is 64 hex digits")
		}
		return revokedDevice(q.Device), nil
	case q.MpinID != "" && q.UserID == "" && q.Device == "":
		raw, err := wire.RawIdentity(q.MpinID)
		if err != nil {
			return "", service.Refusal(http.StatusBadRequest, "malformed mpinId", err)
		}
		return revokedDevice(deviceID(raw)), nil
	}
	return "", bad
}

func (s *Server) adminRevoke(w http.ResponseWriter, r *http.Request) error {
	return s.setRevoked(w, r, true)
}

func (s *Server) adminUnrevoke(w http.ResponseWriter, r *http.Request) error {
	return s.setRevoked(w, r, false)
}

func (s *Server) setRevoked(w http.ResponseWriter, r *http.Request, revoked bool) error {
	var request RevokeRequest
	if err := service.ReadJSON(r, wire.MaxBody, &request); err != nil {
		return service.BadBody(http.StatusBadRequest, err)
	}
	key, err := request.key()
	if err != nil {
		return err
	}
	op := store.Delete(store.Revocation, key)
	if revoked {
		op = store.Put(store.Revocation, key, []byte{1}, 0)
	}
	if _, err := s.c.Store.Do(r.Context(), op); err != nil {
		return unavailable(err)
	}
	return service.WriteJSON(w, http.StatusOK, done)
}

// revokeDevice answers POST /devices/revoke {"device"}: users revoke what they
// have lost. 404 for a device that is not theirs.
func (s *Server) revokeDevice(w http.ResponseWriter, r *http.Request) error {
	var request RevokeRequest
	if err := service.ReadJSON(r, wire.MaxBody, &request); err != nil {
		return service.BadBody(http.StatusBadRequest, err)
	}
	in, err := s.current(r)
	if err != nil {
		return err
	}
	a, _, err := s.account(r.Context(), in.UserID)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(a.Devices, func(d Device) bool { return d.ID == request.Device }) {
		return service.Refuse(http.StatusNotFound, "no such device of yours")
	}
	if _, err := s.c.Store.Do(r.Context(), store.Put(store.Revocation, revokedDevice(request.Device), []byte{1}, 0)); err != nil {
		return unavailable(err)
	}
	return service.WriteJSON(w, http.StatusOK, done)
}
