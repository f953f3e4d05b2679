package edge

// fault is what is wrong with a request; its text is what the client is told.
type fault struct {
	status int // of the answer
	text   string
}

var (
	badLine    = &fault{400, "malformed request line"}
	badTarget  = &fault{400, "the target of a request is a path"}
	badField   = &fault{400, "malformed header field"}
	badEnd     = &fault{400, "lines end with CR LF"}
	badHost    = &fault{400, "one Host field is needed"}
	badLength  = &fault{400, "malformed Content-Length"}
	twoLengths = &fault{400, "more than one length of the body"}
	badCoding  = &fault{400, "unsupported Transfer-Encoding"}
	badUpgrade = &fault{400, "an upgrade has no body"}
	badChunk   = &fault{400, "malformed chunk"}
	longLine   = &fault{414, "request line too long"}
	longHead   = &fault{431, "header too large"}
	manyFields = &fault{431, "too many header fields"}
	upgraded   = &fault{400, "an upgrade is the last request of its connection"}
)
