package e2e

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"html"
	"net/url"
	"strings"
)

// A reply is a whole answer of a hostile peer, made of what it heard.
type reply struct {
	name    string
	raw     func(heard string) string // all bytes, from the status line on
	times   int                       // after which the true answer is given; 0 = never
	lingers bool                      // the connection stays open
}

// wellFormed returns a well-formed answer. Headers are lines without their ends.
func wellFormed(status, body string, headers ...string) string {
	head := ""
	for _, h := range headers {
		head += h + "\r\n"
	}
	return fmt.Sprintf("HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n%s", status, head, len(body), body)
}

// line is text where it must not end a header.
func line(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return ' '
		}
		return r
	}, text)
}

func asJSONString(text string) string { return `"` + quoted(text, true) + `"` }

// fillIn returns a reply whose body is form with what was heard for $TEXT and, as
// a JSON string, for $JSON.
func fillIn(name, status, form string, headers ...string) reply {
	return rawly(name, func(heard string) string {
		return wellFormed(status, strings.NewReplacer("$TEXT", heard, "$JSON", asJSONString(heard)).Replace(form), headers...)
	})
}

// inHeader returns a reply with what was heard in each of some headers.
func inHeader(name, status string, keys ...string) reply {
	return rawly(name, func(heard string) string {
		headers := make([]string, len(keys))
		for i, key := range keys {
			headers[i] = key + ": " + line(heard)
		}
		return wellFormed(status, "", headers...)
	})
}

func rawly(name string, raw func(heard string) string) reply { return reply{name: name, raw: raw} }

// pages are what proxies, portals and firewalls say.
func pages() []reply {
	page := "<html><body><h1>Sorry</h1><pre>$TEXT</pre></body></html>"
	list := []reply{
		fillIn("text 400", "400 Bad Request", "$TEXT", "Content-Type: text/plain"),
		fillIn("text 418 of odd bytes", "418 X", "$TEXT\xff\xfe\x00\x1b[31m"),
		fillIn("200 of invalid UTF-8", "200 OK", "{\"a\xff\":\"\xc3$TEXT\"}"),
		fillIn("206", "206 Partial Content", "$TEXT"),
		fillIn("204 with a body", "204 No Content", "$TEXT"),
		fillIn("XML", "403 Forbidden", "<ErrorResponse><Error><Code>AccessDenied</Code><Message>$TEXT</Message></Error></ErrorResponse>", "Content-Type: text/xml"),
		rawly("HTML, escaped", func(heard string) string { return wellFormed("502 Bad Gateway", "<p>"+html.EscapeString(heard)) }),
		rawly("a megabyte", func(heard string) string {
			return wellFormed("500 X", strings.Repeat(heard, 1+(1<<20)/len(heard)))
		}),
		rawly("5 MB of 200", func(heard string) string { return wellFormed("200 OK", strings.Repeat(heard, 1+(5<<20)/len(heard))) }),
	}
	for _, status := range []string{"200 OK", "401 Unauthorized", "403 Forbidden", "404 Not Found", "500 X", "503 X"} {
		list = append(list, fillIn("HTML "+status[:3], status, page, "Content-Type: text/html"))
	}
	return list
}

// errorBodies are errors in the shapes of the four peers.
func errorBodies() []reply {
	const isJSON, isAmazon = "Content-Type: application/json", "Content-Type: application/x-amz-json-1.1"
	throttled := fillIn("429", "429 X", `{"message":$JSON,"errors":[$JSON]}`, isJSON)
	throttled.times = 2
	return []reply{
		throttled,
		fillIn("code and message", "400 X", `{"code":$JSON,"message":$JSON}`, isJSON),
		fillIn("wrapped code", "403 X", `{"error":{"code":$JSON,"message":$JSON}}`, isJSON),
		fillIn("violations", "400 X", `{"message":"x","violations":[{"code":$JSON,"message":$JSON}]}`, isJSON),
		fillIn("OAuth error", "400 X", `{"error":$JSON,"error_description":$JSON,"error_uri":$JSON}`, isJSON),
		fillIn("OAuth description", "400 X", `{"error":"invalid_grant","error_description":$JSON}`, isJSON),
		fillIn("OAuth description 401", "401 X", `{"error":"invalid_client","error_description":$JSON}`, isJSON),
		fillIn("OAuth error in 200", "200 OK", `{"error":$JSON,"error_description":$JSON}`, isJSON),
		rawly("OAuth error as a form", func(heard string) string {
			return wellFormed("400 X", url.Values{"error": {heard}, "error_description": {heard}}.Encode(), "Content-Type: application/x-www-form-urlencoded")
		}),
		fillIn("Vault's errors 400", "400 X", `{"errors":[$JSON,"check"]}`, isJSON),
		fillIn("Vault's errors 403", "403 X", `{"errors":["permission denied",$JSON]}`, isJSON),
		fillIn("Vault's errors 404", "404 X", `{"errors":["no handler for route",$JSON]}`, isJSON),
		fillIn("Vault's errors 500", "500 X", `{"errors":[$JSON]}`, isJSON),
		fillIn("Vault's warnings", "404 X", `{"request_id":$JSON,"data":null,"warnings":[$JSON]}`, isJSON),
		fillIn("AWS's type", "400 X", `{"__type":$JSON,"message":$JSON}`, isAmazon),
		fillIn("AWS's type of letters", "400 X", `{"__type":"`+letters+`","message":$JSON}`, isAmazon),
		fillIn("AWS's message", "400 X", `{"__type":"ValidationException","Message":$JSON}`, isAmazon),
		fillIn("AWS's type 500", "500 X", `{"__type":$JSON,"message":$JSON}`, isAmazon),
	}
}

// falseAnswers are answers of 200 that are almost what was asked for.
func falseAnswers() []reply {
	return []reply{
		fillIn("wrong types", "200 OK", `{"skillMessagingCredentials":$JSON,"access_token":[$JSON],"auth":$JSON,"data":$JSON,"request_id":"1","ARN":[$JSON],"VersionIdsToStages":$JSON,"Tags":$JSON}`),
		fillIn("all strings", "200 OK", `{"skillMessagingCredentials":{"clientId":$JSON,"clientSecret":$JSON},"access_token":$JSON,"token_type":$JSON,"auth":{"client_token":7},"data":{"created_time":$JSON},"request_id":$JSON,"ARN":$JSON,"Name":$JSON,"VersionId":$JSON}`),
		fillIn("keys", "200 OK", `{$JSON:$JSON,"request_id":"1","data":{$JSON:1}}`),
		fillIn("duplicate keys", "200 OK", `{"skillMessagingCredentials":{"clientId":"a","clientId":$JSON},"access_token":"x y","access_token":7,"token_type":"mac","request_id":"1","data":[],"data":$JSON,"auth":7}`),
		fillIn("cut JSON", "200 OK", `{"skillMessagingCredentials":{"clientId":"x","clientSecret":$JSON,"access_token":$JSON`),
		fillIn("deep JSON", "200 OK", strings.Repeat(`{"data":[`, 20000)+`$JSON`),
		fillIn("a list", "200 OK", `[$JSON,$JSON]`),
		fillIn("a string", "200 OK", `$JSON`),
		fillIn("a year", "200 OK", `{"DeletedDate":$JSON,"expires_in":$JSON,"access_token":7,"lease_duration":$JSON,"request_id":"1"}`),
	}
}

// brokenAnswers break HTTP itself, in places where Go's own errors or its log
// may repeat them.
func brokenAnswers() []reply {
	unasked := rawly("an answer that nobody asked for", func(heard string) string {
		return wellFormed("404 X", "{}") + "HTTP/1.1 200 " + line(heard) + "\r\n\r\n" + heard
	})
	unasked.lingers = true
	return []reply{
		unasked,
		rawly("the reason", func(heard string) string { return wellFormed("400 "+line(heard), "") }),
		rawly("no HTTP", func(heard string) string { return heard }),
		rawly("no HTTP in one line", func(heard string) string { return line(heard) + "\r\n\r\n" }),
		rawly("the status", func(heard string) string { return wellFormed(line(heard), "") }),
		rawly("the version", func(heard string) string { return "HTTP/" + line(heard) + " 200 OK\r\n\r\n" }),
		rawly("no header", func(heard string) string { return wellFormed("200 OK", "", line(strings.ReplaceAll(heard, ":", ";"))) }),
		rawly("a header of the body's", func(heard string) string { return "HTTP/1.1 200 OK\r\n" + heard + "\r\n\r\n" }),
		rawly("the length", func(heard string) string {
			return "HTTP/1.1 200 OK\r\nContent-Length: " + line(heard) + "\r\n\r\n" + heard
		}),
		rawly("the encoding", func(heard string) string {
			return "HTTP/1.1 200 OK\r\nTransfer-Encoding: " + line(heard) + "\r\n\r\n" + heard
		}),
		rawly("the chunk", func(heard string) string {
			return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + line(heard) + "\r\n" + heard
		}),
		rawly("a cut chunk", func(heard string) string {
			return "HTTP/1.1 500 X\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n" + heard
		}),
		rawly("a cut body", func(heard string) string { return "HTTP/1.1 400 X\r\nContent-Length: 1000000\r\n\r\n" + heard }),
		rawly("trailers", func(heard string) string {
			return "HTTP/1.1 400 X\r\nTransfer-Encoding: chunked\r\nTrailer: X-A\r\n\r\n1\r\n{\r\n0\r\nX-A: " + line(heard) + "\r\nX-B" + line(heard) + "\r\n\r\n"
		}),
		rawly("no gzip", func(heard string) string { return wellFormed("200 OK", heard, "Content-Encoding: gzip") }),
		rawly("a gzip bomb", func(heard string) string {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			for range 64 {
				_, _ = z.Write([]byte(heard + strings.Repeat(" ", 1<<20))) // to memory
			}
			_ = z.Close()
			return wellFormed("200 OK", b.String(), "Content-Encoding: gzip")
		}),
		rawly("early hints", func(heard string) string {
			return "HTTP/1.1 103 Early Hints\r\nLink: <" + line(heard) + ">\r\n\r\n" + wellFormed("500 X", heard)
		}),
		rawly("hints without end", func(heard string) string {
			return strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: <"+line(heard)+">\r\n\r\n", 64)
		}),
		rawly("continue", func(heard string) string {
			return "HTTP/1.1 100 " + line(heard) + "\r\nX: " + line(heard) + "\r\n\r\n" + wellFormed("400 X", heard)
		}),
		rawly("another protocol", func(heard string) string {
			return "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + line(heard) + "\r\n\r\n" + heard
		}),
		rawly("too many headers", func(heard string) string {
			return wellFormed("200 OK", "", "X: "+strings.Repeat(line(heard), 1+(1<<17)/len(heard)))
		}),
		rawly("nothing", func(string) string { return "" }),
		inHeader("headers 404", "404 X", "X-Amzn-RequestId", "WWW-Authenticate", "Retry-After", "Date", "Set-Cookie", "X-Vault-Token", "Warning"),
		inHeader("headers 503", "503 X", "Retry-After", "Date", "Server"),
		inHeader("AWS's headers", "400 X", "X-Amzn-ErrorType", "X-Amzn-Error-Message", "X-Amz-Id-2"),
	}
}

// redirects lead to traps, by another name and port, by another port alone, by
// plain HTTP, and to where they come from. All of them carry what was heard.
func redirects(secure, plain string) (list []reply) {
	for _, status := range []string{"301", "302", "303", "307", "308"} {
		for _, to := range []struct{ where, target string }{
			{"another host", strings.Replace(secure, "127.0.0.1", "localhost", 1)}, {"another port", secure}, {"plain HTTP", plain}, {"itself", ""},
		} {
			list = append(list, rawly(status+" to "+to.where, func(heard string) string {
				return wellFormed(status+" X", "<a>"+heard, "Location: "+to.target+"/moved?"+url.QueryEscape(heard))
			}))
		}
	}
	return append(list,
		rawly("302 to nowhere", func(heard string) string { return wellFormed("302 X", "", "Location: "+line(heard)+"\x7f://") }),
		rawly("307 to a user", func(heard string) string {
			return wellFormed("307 X", heard, "Location: http://"+url.QueryEscape(heard)+"@"+strings.TrimPrefix(plain, "http://"))
		}),
	)
}
