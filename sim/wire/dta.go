package wire

// What the D-TAs, the proxy before some of them and the API answer.

// ClientSecretAnswer is the answer to clientSecret. A proxy in front of several
// D-TAs answers with the sum and, in Shares, what it is the sum of.
type ClientSecretAnswer struct {
	// ClientSecret is a share of s·A, a point of G1 in hex.
	ClientSecret string `json:"clientSecret"`
	Message      string `json:"message"`
	// Shares are ours: each D-TA's share with its proof.
	Shares []ProvedShare `json:"shares,omitempty"`
}

// ProvedShare is one D-TA's share with a proof that it was made with the D-TA's
// secret (protocol.ShareKey).
type ProvedShare struct {
	DTA   int    `json:"dta"`   // the D-TA's index, from 1
	Share string `json:"share"` // a point of G1 in hex
	Proof string `json:"proof"` // hex
}

// ServerSecretAnswer is the answer to serverSecret.
type ServerSecretAnswer struct {
	// ServerSecret is a share of s·Q, a point of G2 in hex.
	ServerSecret string `json:"serverSecret"`
	// StartTime is when the D-TA was started, in ms since the epoch.
	StartTime int64  `json:"startTime"`
	Message   string `json:"message"`
	// Shares are ours, without proofs: a pairing checks them.
	Shares []ProvedShare `json:"shares,omitempty"`
}

// PermitsAnswer is the answer to timePermits: shares by date, in decimal.
type PermitsAnswer struct {
	TimePermits map[string]string `json:"timePermits"`
	Message     string            `json:"message"`
	// Shares are ours: what each is the sum of, with proofs.
	Shares map[string][]ProvedShare `json:"shares,omitempty"`
}

// PermitAnswer is the answer to timePermit, for today.
type PermitAnswer struct {
	TimePermit string        `json:"timePermit"`
	Date       int           `json:"date"`
	Message    string        `json:"message"`
	Shares     []ProvedShare `json:"shares,omitempty"`
}

// ShareKey is what a D-TA publishes of its secret for clients to check shares
// with: s_i·G in hex, G the generator of G1.
type ShareKey struct {
	DTA int    `json:"dta"`
	Key string `json:"key"`
}

// DTAStatus is the answer of a D-TA to status.
type DTAStatus struct {
	Status    string   `json:"status"` // "OK"
	Suite     string   `json:"suite"`
	DTA       int      `json:"dta"`
	Threshold int      `json:"threshold"` // 0 in an additive deployment
	Key       ShareKey `json:"shareKey"`
	StartTime int64    `json:"startTime"`
}

// APISettings is the answer to apiSettings.
type APISettings struct {
	TimePermitsStorageURL string `json:"timePermitsStorageURL"`
	CertivoxURL           string `json:"certivoxURL"`
	Message               string `json:"message"`
}

// APITime is the answer to time, as TimeLayout.
type APITime struct {
	Time string `json:"Time"`
}

// ApplicationRequest asks the API for a new application.
type ApplicationRequest struct {
	Name string `json:"name"`
}

// ApplicationAnswer is the answer: told once, and kept by the customer.
type ApplicationAnswer struct {
	AppID  string `json:"app_id"`
	AppKey string `json:"app_key"`
	// CertivoxURL is where the application's own instance of the D-TA is.
	CertivoxURL string `json:"certivoxURL"`
	// ShareKeys are the keys of the D-TAs behind the proxy, to be pinned.
	ShareKeys []ShareKey `json:"shareKeys,omitempty"`
	Message   string     `json:"message"`
}

// Refusal is the body of an answer that is not 2xx.
type Refusal struct {
	Message   string `json:"message"`
	RequestID string `json:"requestId,omitempty"`
}
