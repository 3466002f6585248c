//go:build thirdparty

package vectors_test

// The module of Wycheproof embeds a hundred megabytes. The tests read the few
// files they need from the module cache instead of linking it; this import,
// which is never built, keeps its version in go.mod.
import _ "github.com/c2sp/wycheproof"
