/** The script: defines `<botkit-chat>`, adds the launcher, and answers `window.botkit`. */

import { Conversation, type ConversationEvents } from './conversation'
import { BotkitChat } from './element'
import { optionsOf, serverOf } from './options'

type EventName = 'message' | 'open' | 'close' | 'error'
type Listener = (detail?: unknown) => void
type Call = [name: string, ...values: unknown[]]

export interface BotkitApi {
  open(): void
  close(): void
  toggle(): void
  send(text: string): void
  on(name: EventName, listener: Listener): () => void
  identify(token: string | null): void
  push(...calls: Call[]): void
}

const EARLY: ReadonlySet<string> = new Set(['identify', 'on'])

declare global {
  interface Window {
    botkit?: BotkitApi | Call[]
  }
}

function start(script: HTMLScriptElement): void {
  const defaults = script.dataset
  const server = serverOf(script.src, defaults['server'])
  const listeners = new Map<EventName, Set<Listener>>()
  const emit = (name: EventName, detail?: unknown): void => {
    for (const listener of listeners.get(name) ?? []) listener(detail)
  }
  let only: Conversation | null = null
  const conversation = (locale = ''): Conversation => {
    only ??= begun(new Conversation(server), emit)
    if (locale) only.locale = locale
    return only
  }
  BotkitChat.site = { server, defaults, conversation, emit }
  let launched: BotkitChat | null = null
  const current = (): BotkitChat | null =>
    launched?.isConnected ? launched : document.querySelector<BotkitChat>('botkit-chat')
  const queued = Array.isArray(window.botkit) ? window.botkit : []
  const api: BotkitApi = {
    open: () => {
      // A page that draws itself anew has thrown the launcher away.
      if (launched && !current()) document.body.append(launched)
      current()?.open()
    },
    close: () => current()?.close(),
    toggle: () => (current() ?? { toggle: api.open }).toggle(),
    send: (text) => conversation().send({ text: String(text) }),
    on: (name, listener) => {
      const those = listeners.get(name) ?? new Set()
      listeners.set(name, those.add(listener))
      return () => those.delete(listener)
    },
    identify: (token) => conversation().identify(token),
    push: (...calls) => {
      for (const [name, ...values] of calls) {
        const method = Object.hasOwn(api, name) ? api[name as keyof BotkitApi] : null
        if (method) (method as (...all: unknown[]) => unknown)(...values)
        else console.warn(`botkit: there is no "${name}"`)
      }
    },
  }
  window.botkit = api
  customElements.define('botkit-chat', BotkitChat)
  const launch = (): void => {
    if (optionsOf(defaults, {}, server).launcher) {
      launched = document.createElement('botkit-chat') as BotkitChat
      launched.setAttribute('floating', '')
      document.body.append(launched)
    }
    api.push(...queued.filter(([name]) => !EARLY.has(name)))
    conversation().resume()
  }
  // Who is asking has to be known before anything is opened.
  api.push(...queued.filter(([name]) => EARLY.has(name)))
  if (document.body) launch()
  else whenBody(launch)
}

/** An async script in the head may run before there is a body. */
function whenBody(action: () => void): void {
  const observer = new MutationObserver(() => {
    if (!document.body) return
    observer.disconnect()
    action()
  })
  observer.observe(document.documentElement, { childList: true })
}

function begun(conversation: Conversation, emit: (name: EventName, detail?: unknown) => void): Conversation {
  conversation.on('message', (entry: ConversationEvents['message']) => {
    if (entry.role !== 'rating') emit('message', entry)
  })
  conversation.on('error', (detail) => emit('error', detail))
  return conversation
}

const script = document.currentScript ?? document.querySelector('script[src*="/widget.js"]')
if (script instanceof HTMLScriptElement && !customElements.get('botkit-chat')) start(script)
