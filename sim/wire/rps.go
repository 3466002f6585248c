package wire

import "encoding/json"

// What clients and the RPS say to each other.

// ClientSettings is the answer to clientSettings.
type ClientSettings struct {
	CertivoxURL             string   `json:"certivoxURL"` // with a slash at the end
	SignatureURL            string   `json:"signatureURL"`
	RegisterURL             string   `json:"registerURL"`
	TimePermitsURL          string   `json:"timePermitsURL"`
	TimePermitsStorageURL   string   `json:"timePermitsStorageURL"`
	SetupDoneURL            string   `json:"setupDoneURL"`
	MpinAuthServerURL       string   `json:"mpinAuthServerURL"`
	AuthenticateURL         string   `json:"authenticateURL"` // the RPA's
	MobileAuthenticateURL   string   `json:"mobileAuthenticateURL"`
	SetDeviceName           bool     `json:"setDeviceName"`
	AccessNumberUseCheckSum bool     `json:"accessNumberUseCheckSum"`
	AccessNumberDigits      int      `json:"accessNumberDigits"`
	CSum                    int      `json:"cSum"`
	AppID                   string   `json:"appID"`
	RequestOTP              bool     `json:"requestOTP"`
	SeedValue               string   `json:"seedValue"` // 100 random bytes in hex
	UseWebSocket            bool     `json:"useWebSocket"`
	UseNFC                  bool     `json:"useNFC"`
	SupportedProtocols      []string `json:"supportedProtocols"`
	AccessNumberURL         string   `json:"accessNumberURL,omitempty"`
	GetAccessNumberURL      string   `json:"getAccessNumberURL,omitempty"`
	GetQrURL                string   `json:"getQrUrl"`
	CodeStatusURL           string   `json:"codeStatusURL"`

	// The rest is ours.

	// Suite is the deployment's suite, for example "rfc9380/bls12-381".
	Suite string `json:"suite,omitempty"`
	// PINDigits are the lengths of PIN that the server tells wrong ones of.
	PINDigits *PINDigits `json:"pinDigits,omitempty"`
	// ShareKeys are the D-TAs' keys, to check shares before they are stored,
	// and Threshold how many D-TAs issue together; 0 for all of them.
	ShareKeys []ShareKey `json:"shareKeys,omitempty"`
	Threshold int        `json:"threshold,omitempty"`
}

// PINDigits are the least and greatest number of digits.
type PINDigits struct {
	Min int `json:"min"`
	Max int `json:"max"`
}

// RegisterRequest is the body of PUT user. Mobile is 0 or 1.
type RegisterRequest struct {
	UserID     string `json:"userId"`
	Mobile     int    `json:"mobile"`
	DeviceName string `json:"deviceName,omitempty"`
	RegOTT     string `json:"regOTT,omitempty"`
	UserData   string `json:"userData,omitempty"`
}

// RegisterAnswer is the answer. Times are UTC, as TimestampLayout.
type RegisterAnswer struct {
	MpinID     string `json:"mpinId"`
	RegOTT     string `json:"regOTT"` // 32 hex digits
	ExpireTime string `json:"expireTime"`
	NowTime    string `json:"nowTime"`
	Active     bool   `json:"active"`
}

// SignatureAnswer is the answer to signature: the customer's half of the
// client secret, and the signed query to fetch the other half with.
type SignatureAnswer struct {
	ClientSecretShare string `json:"clientSecretShare"`
	Params            string `json:"params"`
	// Shares are ours: what ClientSecretShare is the sum of, with proofs.
	Shares []ProvedShare `json:"shares,omitempty"`
}

// PermitHalfAnswer is the RPS's answer to timePermit.
type PermitHalfAnswer struct {
	Date       int    `json:"date"`
	Signature  string `json:"signature"`
	StorageID  string `json:"storageId"`
	TimePermit string `json:"timePermit"`
	Message    string `json:"message"`
	Version    string `json:"version"`
	// Params is ours: a signed query with an expiry for certivoxURL +
	// "timePermit?".
	Params string        `json:"params,omitempty"`
	Shares []ProvedShare `json:"shares,omitempty"`
}

// Pass1Request is the client's first message. Without permits UT is absent.
type Pass1Request struct {
	MpinID string `json:"mpin_id"`
	UT     string `json:"UT"`
	U      string `json:"U"`
	Pass   int    `json:"pass"`
	// Proof is ours: that U and UT have one logarithm
	// (protocol.Suite.VerifyBinding), in hex.
	Proof string `json:"proof,omitempty"`
}

// Pass1Answer is the challenge.
type Pass1Answer struct {
	Version string `json:"version"`
	Y       string `json:"y"`
	Pass    int    `json:"pass"`
	Message string `json:"message"`
}

// Pass2Request is the client's second message. WID "0" or "" is a login of the
// client itself; otherwise it logs the holder of that access number in.
type Pass2Request struct {
	MpinID string `json:"mpin_id"`
	V      string `json:"V"`
	OTP    int    `json:"OTP"`
	WID    string `json:"WID"`
	Pass   int    `json:"pass"`
}

// Pass2Answer does not tell the verdict.
type Pass2Answer struct {
	Version string `json:"version"`
	Pass    int    `json:"pass"`
	AuthOTT string `json:"authOTT"` // 32 hex digits
	OTP     string `json:"OTP,omitempty"`
}

// CodeAnswer is the answer to getAccessNumber, with AccessNumber, and getQrUrl,
// with QrURL. Times are in ms since the epoch.
type CodeAnswer struct {
	TTLSeconds     int    `json:"ttlSeconds"`
	AccessNumber   string `json:"accessNumber,omitempty"`
	QrURL          string `json:"qrUrl,omitempty"`
	WebOTT         string `json:"webOTT"`
	LocalTimeStart int64  `json:"localTimeStart"`
	LocalTimeEnd   int64  `json:"localTimeEnd"`
}

// AccessRequest is the body of access and accessnumber.
type AccessRequest struct {
	WebOTT string `json:"webOTT"`
}

// The states of an access number or QR code.
const (
	CodeNew          = "new"
	CodeWID          = "wid"
	CodeUser         = "user"
	CodeExpired      = "expired"
	CodeAuthenticate = "authenticate"
)

// AccessAnswer is the answer to access.
type AccessAnswer struct {
	Status      string `json:"status"`
	StatusCode  int    `json:"statusCode"`
	UserID      string `json:"userId"`
	RedirectURL string `json:"redirectURL"`
	AuthOTT     string `json:"authOTT,omitempty"`
}

// OlderAccessAnswer is the answer to accessnumber.
type OlderAccessAnswer struct {
	AuthOTT string `json:"authOTT"`
}

// CodeStatusRequest is the body of codeStatus: the phone tells the browser's
// page how far it has come.
type CodeStatusRequest struct {
	Status string `json:"status"`
	WID    string `json:"wid"`
	UserID string `json:"userId,omitempty"`
}

// AuthenticateRequest is the body of the phone's authenticate and of the RPA's
// mpinAuthenticate.
type AuthenticateRequest struct {
	MpinResponse MpinResponse `json:"mpinResponse"`
}

// MpinResponse is what the client has from pass 2.
type MpinResponse struct {
	AuthOTT string `json:"authOTT"`
	Version string `json:"version,omitempty"`
	Pass    int    `json:"pass,omitempty"`
}

// MobileAnswer is the answer to the phone's authenticate. To log the browser out
// again the phone posts LogoutData, any JSON, to LogoutURL.
type MobileAnswer struct {
	LogoutURL  string          `json:"logoutURL"`
	LogoutData json.RawMessage `json:"logoutData,omitempty"`
}
