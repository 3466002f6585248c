package service

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

var (
	// ErrJSON: a body that is not one JSON value of the expected form.
	ErrJSON = errors.New("not the expected JSON")
	// ErrTooLarge: a body over the limit.
	ErrTooLarge = errors.New("body too large")
)

// buffers are reused for bodies up to keptBuffer bytes.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

const keptBuffer = 64 << 10

func putBuffer(b *bytes.Buffer) {
	if b.Cap() <= keptBuffer {
		b.Reset()
		buffers.Put(b)
	}
}

// ReadJSON reads a request's body of at most limit bytes into v. It is strict:
// names in their exact case and once, UTF-8, one value and nothing after it;
// members that v does not have are ignored. Errors: ErrTooLarge, ErrJSON, and
// those of reading.
func ReadJSON(r *http.Request, limit int64, v any) error {
	if r.ContentLength > limit {
		return fmt.Errorf("%w: %d bytes, over %d", ErrTooLarge, r.ContentLength, limit)
	}
	return decode(r.Body, limit, v)
}

func decode(body io.Reader, limit int64, v any) error {
	b := buffers.Get().(*bytes.Buffer)
	defer putBuffer(b)
	if _, err := b.ReadFrom(io.LimitReader(body, limit+1)); err != nil {
		var max *http.MaxBytesError
		if errors.As(err, &max) {
			return fmt.Errorf("%w: over %d bytes", ErrTooLarge, max.Limit)
		}
		return fmt.Errorf("reading the body: %w", err)
	}
	if int64(b.Len()) > limit {
		return fmt.Errorf("%w: over %d bytes", ErrTooLarge, limit)
	}
	return Unmarshal(b.Bytes(), v)
}

// Unmarshal reads one JSON value as strictly as ReadJSON, for what arrives in
// WebSocket frames. Error: ErrJSON, which quotes none of it.
func Unmarshal(b []byte, v any) error {
	if err := json.Unmarshal(b, v); err != nil {
		// The library's text can quote what was sent.
		return ErrJSON
	}
	return nil
}

// BadBody turns an error of ReadJSON into a refusal: 413 for a body that is too
// large, 408 for one that did not come in time, otherwise the status that the
// route documents for bad JSON.
func BadBody(status int, err error) error {
	switch {
	case errors.Is(err, ErrTooLarge):
		return Refusal(http.StatusRequestEntityTooLarge, "body too large", err)
	case errors.Is(err, ErrJSON):
		return Refusal(status, "not the expected JSON", err)
	}
	return Refusal(http.StatusRequestTimeout, "the body could not be read", err)
}

// marshalOptions: omitempty as in encoding/json, for which the messages were
// written, and maps in a certain order.
var marshalOptions = json.JoinOptions(jsonv1.OmitEmptyWithLegacySemantics(true), json.Deterministic(true))

// Marshal appends the JSON of v to what WriteJSON would write.
func Marshal(v any) ([]byte, error) { return json.Marshal(v, marshalOptions) }

var contentType = []string{"application/json"}

// WriteJSON answers with a status and v in JSON.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	b := buffers.Get().(*bytes.Buffer)
	defer putBuffer(b)
	if err := json.MarshalWrite(b, v, marshalOptions); err != nil {
		return fmt.Errorf("writing JSON: %w", err)
	}
	h := w.Header()
	h["Content-Type"] = contentType
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, err := w.Write(b.Bytes())
	if err != nil {
		return fmt.Errorf("answering: %w", err)
	}
	return nil
}
