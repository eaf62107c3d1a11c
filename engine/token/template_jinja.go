package token

import "strings"

// ChatTemplate returns the template as a chat_template, for files that other programs read: what a model ships, or a text that
// writes what the built-in writes, for conversations that the built-in can write. t tells whether texts begin with BOS.
func (tp *Template) ChatTemplate(t *Tokenizer) string {
	if tp.Jinja != "" {
		return tp.Jinja
	}
	var b strings.Builder
	write := func(parts ...string) {
		b.WriteString("{{ ")
		first := true
		for _, p := range parts {
			if p == "''" {
				continue
			}
			if !first {
				b.WriteString(" + ")
			}
			b.WriteString(p)
			first = false
		}
		if first {
			b.WriteString("''")
		}
		b.WriteString(" }}")
	}
	const content = "message['content']"
	if t.BOS() != None && (tp.BOS || tp.AutoBOS && t.AddBOS()) {
		write("bos_token")
	}
	system, user, answer := tp.Turns[System], tp.Turns[User], tp.Turns[Assistant]
	_, hasSystem := tp.Turns[System]
	if hasSystem && tp.SystemInUser {
		system.Before = user.Before + system.Before
	}
	if hasSystem && tp.DefaultSystem != "" {
		b.WriteString("{% if messages[0]['role'] != 'system' %}")
		write(quote(system.Before + tp.DefaultSystem + system.After))
		b.WriteString("{% endif %}")
	}
	stop := quote(tp.Stop)
	if tp.Stop == "" {
		stop = "eos_token"
	}
	b.WriteString("{% for message in messages %}")
	if hasSystem {
		b.WriteString("{% if message['role'] == 'system' %}")
		write(quote(system.Before), content, quote(system.After))
		b.WriteString("{% endif %}")
	}
	b.WriteString("{% if message['role'] == 'user' %}")
	if hasSystem && tp.SystemInUser { // the system message has begun the first turn of the user
		behind := "loop.index0 == 1 and messages[0]['role'] == 'system'"
		if tp.DefaultSystem != "" {
			behind = "loop.first or " + behind
		}
		b.WriteString("{% if " + behind + " %}")
		write(content, quote(user.After))
		b.WriteString("{% else %}")
		write(quote(user.Before), content, quote(user.After))
		b.WriteString("{% endif %}")
	} else {
		write(quote(user.Before), content, quote(user.After))
	}
	b.WriteString("{% endif %}{% if message['role'] == 'assistant' %}")
	write(quote(answer.Before), content, stop, quote(answer.After))
	b.WriteString("{% endif %}{% endfor %}{% if add_generation_prompt %}")
	write(quote(answer.Before), quote(tp.Prompt))
	b.WriteString("{% endif %}")
	return b.String()
}

// quote is a text as Jinja writes it.
func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`).Replace(s) + "'"
}
