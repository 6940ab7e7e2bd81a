// pusher-http-go; run by sdk.cjs.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	pusher "github.com/pusher/pusher-http-go/v5"
)

type object = map[string]interface{}

func call(name string, argument object) object {
	body, _ := json.Marshal(argument)
	response, err := http.Post(os.Getenv("LISTENER")+"/control/"+name, "application/json", bytes.NewReader(body))
	must(err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	must(err)
	if response.StatusCode != 200 {
		panic(string(text))
	}
	var answer object
	must(json.Unmarshal(text, &answer))
	return answer
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// equal compares values by their JSON, members in any order.
func equal(actual, expected interface{}) {
	canonical := func(value interface{}) (text []byte) {
		var plain interface{}
		text, _ = json.Marshal(value)
		must(json.Unmarshal(text, &plain))
		text, _ = json.Marshal(plain)
		return text
	}
	a, b := canonical(actual), canonical(expected)
	if !bytes.Equal(a, b) {
		panic(fmt.Sprintf("%s, not %s", a, b))
	}
}

func check(name string, body func()) {
	defer func() {
		if failure := recover(); failure != nil {
			detail := strings.ReplaceAll(fmt.Sprint(failure), "\n", " ")
			call("report", object{"name": name, "outcome": "FAIL", "detail": detail})
		} else {
			call("report", object{"name": name, "outcome": "ok"})
		}
	}()
	body()
}

func main() {
	sdk := pusher.Client{
		AppID: os.Getenv("PUSHER_APP_ID"), Key: os.Getenv("PUSHER_APP_KEY"), Secret: os.Getenv("PUSHER_APP_SECRET"),
		Host:                      os.Getenv("BROKER_HOST") + ":" + os.Getenv("BROKER_PORT"),
		EncryptionMasterKeyBase64: os.Getenv("ENCRYPTION_KEY"),
	}
	ada, bob := call("connect", object{}), call("connect", object{})
	next := func(client object, event string) object {
		return call("next", object{"client": client["client"], "event": event})
	}
	info := func(text string) *string { return &text }

	check("P141 Channels when there are none", func() {
		list, err := sdk.Channels(pusher.ChannelsParams{})
		must(err)
		equal(len(list.Channels), 0)
	})
	check("AuthorizePrivateChannel and AuthorizePresenceChannel are accepted", func() {
		for user, client := range map[string]object{"ada": ada, "bob": bob} {
			for _, channel := range []string{"orders", "private-ops", "private-encrypted-x", "presence-room"} {
				form := url.Values{"socket_id": {client["socket_id"].(string)}, "channel_name": {channel}}.Encode()
				answer, err := []byte("{}"), error(nil)
				if strings.HasPrefix(channel, "presence-") {
					member := pusher.MemberData{UserID: user, UserInfo: map[string]string{"name": user}}
					answer, err = sdk.AuthorizePresenceChannel([]byte(form), member)
				} else if strings.HasPrefix(channel, "private-") {
					answer, err = sdk.AuthorizePrivateChannel([]byte(form))
				}
				must(err)
				request := object{"client": client["client"], "channel": channel}
				must(json.Unmarshal(answer, &request))
				delete(request, "shared_secret")
				equal(call("subscribe", request)["event"], "pusher_internal:subscription_succeeded")
			}
		}
	})
	check("P126 Trigger: delivered unchanged", func() {
		must(sdk.Trigger("orders", "e", object{"text": "schön ☃", "n": []interface{}{1, nil}}))
		frame := next(ada, "e")
		var data object
		must(json.Unmarshal([]byte(frame["data"].(string)), &data))
		equal(data, object{"text": "schön ☃", "n": []interface{}{1, nil}})
	})
	check("P127 TriggerMultiExclusive", func() {
		must(sdk.TriggerMultiExclusive([]string{"orders", "private-ops"}, "most", "1", ada["socket_id"].(string)))
		must(sdk.Trigger("private-ops", "most", "2"))
		next(bob, "most")
		equal(next(bob, "most")["channel"], "private-ops")
		equal(next(ada, "most")["data"], "2")
	})
	check("P136 TriggerMultiWithParams with info", func() {
		list, err := sdk.TriggerMultiWithParams([]string{"presence-room", "orders"}, "e", "1",
			pusher.TriggerParams{Info: info("user_count,subscription_count")})
		must(err)
		equal(list.Channels, object{
			"orders":        object{"subscription_count": 2},
			"presence-room": object{"user_count": 2, "subscription_count": 2},
		})
	})
	check("P138 TriggerBatch, with and without info", func() {
		batch := []pusher.Event{
			{Channel: "orders", Name: "one", Data: "x"},
			{Channel: "private-ops", Name: "two", Data: object{"a": 1}},
		}
		_, err := sdk.TriggerBatch(batch)
		must(err)
		next(bob, "one")
		equal(next(bob, "two")["data"], `{"a":1}`)
		counted := pusher.Event{Channel: "presence-room", Name: "three", Data: "1", Info: info("user_count")}
		list, err := sdk.TriggerBatch(append(batch, counted))
		must(err)
		equal(list.Batch, []object{{}, {}, {"user_count": 2}})
	})
	check("P59 an encrypted event travels as it was made", func() {
		must(sdk.Trigger("private-encrypted-x", "secret", object{"a": 1}))
		var data map[string]string
		must(json.Unmarshal([]byte(next(bob, "secret")["data"].(string)), &data))
		equal(data["nonce"] != "" && data["ciphertext"] != "", true)
	})
	check("Channels, Channel, GetChannelUsers", func() {
		list, err := sdk.Channels(pusher.ChannelsParams{FilterByPrefix: info("presence-"), Info: info("user_count")})
		must(err)
		equal(list.Channels, object{"presence-room": object{"user_count": 2}})
		channel, err := sdk.Channel("presence-room", pusher.ChannelParams{Info: info("user_count,subscription_count")})
		must(err)
		equal(*channel == pusher.Channel{Name: "presence-room", Occupied: true, UserCount: 2, SubscriptionCount: 2}, true)
		nobody, err := sdk.Channel("nobody", pusher.ChannelParams{})
		must(err)
		equal(nobody.Occupied, false)
		users, err := sdk.GetChannelUsers("presence-room")
		must(err)
		equal(len(users.List), 2)
	})
	check("P145 an attribute the channel does not have: an error", func() {
		if _, err := sdk.Channel("orders", pusher.ChannelParams{Info: info("user_count")}); err == nil {
			panic("no error")
		}
	})
	check("AuthenticateUser is accepted; SendToUser arrives", func() {
		form := url.Values{"socket_id": {ada["socket_id"].(string)}}.Encode()
		answer, err := sdk.AuthenticateUser([]byte(form), object{"id": "u-17", "user_info": object{"name": "Ada"}})
		must(err)
		request := object{"client": ada["client"]}
		must(json.Unmarshal(answer, &request))
		equal(call("signin", request)["event"], "pusher:signin_success")
		must(sdk.SendToUser("u-17", "note", object{"hello": "wörld"}))
		equal(next(ada, "note")["channel"], "#server-to-user-u-17")
	})
	check("P150 webhook: both vectors are valid, a changed one is not", func() {
		var vectors [][2]string
		must(json.Unmarshal([]byte(os.Getenv("HOOK_VECTORS")), &vectors))
		for _, vector := range vectors {
			header := http.Header{"X-Pusher-Key": {sdk.Key}, "X-Pusher-Signature": {vector[1]}}
			hook, err := sdk.Webhook(header, []byte(vector[0]))
			must(err)
			equal(len(hook.Events), 1)
			if _, err := sdk.Webhook(header, []byte(vector[0]+" ")); err == nil {
				panic("the changed one was taken")
			}
		}
	})
	check("P150 webhook: one of the broker is valid", func() {
		answer := call("hook", object{"name": "channel_occupied"})
		header := http.Header{}
		for name, value := range answer["headers"].(object) {
			if text, ok := value.(string); ok {
				header.Set(name, text)
			}
		}
		hook, err := sdk.Webhook(header, []byte(answer["body"].(string)))
		must(err)
		equal(hook.Events[0].Name, "channel_occupied")
	})
	check("P154 webhook: a client event, its data a string, its user named", func() {
		call("say", object{
			"client": bob["client"], "channel": "presence-room", "event": "client-typing", "data": object{"on": true},
		})
		answer := call("hook", object{"name": "client_event"})
		header := http.Header{}
		for _, name := range []string{"x-pusher-key", "x-pusher-signature"} {
			header.Set(name, answer["headers"].(object)[name].(string))
		}
		hook, err := sdk.Webhook(header, []byte(answer["body"].(string)))
		must(err)
		event := hook.Events[0]
		equal([]string{event.Event, event.Data, event.UserID, event.SocketID},
			[]string{"client-typing", `{"on":true}`, "bob", bob["socket_id"].(string)})
	})
}
