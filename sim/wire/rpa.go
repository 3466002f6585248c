package wire

import "encoding/json"

// What the RPS and the relying party application say to each other, and the
// application to its users' clients.

// The paths of the RPS's private listener.
const (
	PrivateUser         = "/user/" // + mpinId
	PrivateAuthenticate = "/authenticate"
	PrivateLoginResult  = "/loginResult"
	StatusPath          = "/status"
	MetricsPath         = "/metrics"
)

// VerifyRequest is what the RPS posts to the RPA's mpinVerify before it takes a
// registration.
type VerifyRequest struct {
	UserID      string `json:"userId"`
	MpinID      string `json:"mpinId"`
	Mobile      int    `json:"mobile"`
	ActivateKey string `json:"activateKey"`
	ExpireTime  string `json:"expireTime"`
	Resend      bool   `json:"resend"`
	DeviceName  string `json:"deviceName,omitempty"`
	UserData    string `json:"userData,omitempty"`
}

// VerifyAnswer says whether the user is active at once or must activate first.
type VerifyAnswer struct {
	ForceActivate bool `json:"forceActivate"`
}

// ActivateRequest is what the RPA posts to the RPS's private /user/{mpinId}.
type ActivateRequest struct {
	ActivateKey string `json:"activateKey"`
}

// RedeemRequest is what the RPA posts to the RPS's private /authenticate.
type RedeemRequest struct {
	AuthOTT    string          `json:"authOTT"`
	LogoutURL  string          `json:"logoutURL,omitempty"`
	LogoutData json.RawMessage `json:"logoutData,omitempty"`
}

// RedeemAnswer is the verdict; the HTTP status is Status: 200, 401 for a wrong
// PIN, 408 for an unknown or expired authOTT, 410 for a blocked identity.
type RedeemAnswer struct {
	Status  int    `json:"status"`
	Message string `json:"message"`
	UserID  string `json:"userId"`
	MpinID  string `json:"mpinId"`
	OTP     string `json:"OTP,omitempty"`
}

// LoginResultRequest is what the RPA posts to the RPS's private /loginResult
// when it has let a browser in, for the phone that is waiting.
type LoginResultRequest struct {
	AuthOTT    string          `json:"authOTT"`
	Status     int             `json:"status"`
	LogoutURL  string          `json:"logoutURL,omitempty"`
	LogoutData json.RawMessage `json:"logoutData,omitempty"`
}

// LoginAnswer is the RPA's answer to a login that it accepts; the session is in
// a cookie.
type LoginAnswer struct {
	UserID     string          `json:"userId"`
	LogoutURL  string          `json:"logoutURL"`
	LogoutData json.RawMessage `json:"logoutData"`
}

// OutboxAnswer is the RPA's answer to outbox: what would have been sent by
// e-mail.
type OutboxAnswer struct {
	MpinID      string `json:"mpinId"`
	ActivateKey string `json:"activateKey"`
	Link        string `json:"link"`
}
