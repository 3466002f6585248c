// What people are told when something does not work, by kind of failure.

const general = {
	unreachable: () => navigator.onLine
		? "The service does not answer. Check your connection and try again."
		: "You are offline. Connect to the internet and try again.",
	server: "The service has a problem at the moment. Please try again shortly.",
	busy: "Too many requests just now. Wait a moment, then try again.",
	expired: "That took too long. Please try again.",
	wrongPIN: "That PIN is not right. Try again with care: too many wrong PINs block this device.",
	refused: "The service has refused this. Please try again later.",
	badShare: "The service sent something that does not add up, so nothing was stored. Please tell its operator.",
	pin: "The service does not take a PIN of this length.",
	oldForgotten: "That took too long. Please begin again.",
	unknownCode: "No screen shows this code. Check it and try again.",
	loggedOut: "You have been logged out.",
	forbidden: "This is for the operator only.",
	notFound: "Nothing was found.",
};

// words returns the text for a failure; particular texts win.
export function words(failure, particular = {}) {
	const text = particular[failure.kind] ?? general[failure.kind] ?? "Something went wrong. Please try again.";
	return typeof text === "function" ? text() : text;
}
