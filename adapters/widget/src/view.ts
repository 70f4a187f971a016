import type { FileInfo, ReplyButton, UserEntry } from './protocol'
import { busy, type Message, type Outgoing, type Rating, removed, type State } from './store'

export interface UserRow {
  kind: 'user'
  key: string
  id: string
  text: string
  files: readonly FileInfo[]
  at: number
  command: boolean
  state: Outgoing['state']
  reason: string
  editable: boolean
  retryable: boolean
}

export interface ReplyRow {
  kind: 'reply'
  key: string
  id: string
  text: string
  files: readonly FileInfo[]
  buttons: readonly ReplyButton[]
  suggestions: readonly string[]
  at: number
  live: boolean
  stopped: boolean
  feedback: boolean
  rating: Rating | null
  retryable: boolean
  last: boolean
}

export interface DayRow {
  kind: 'day'
  key: string
  at: number
}

export type Row = UserRow | ReplyRow | DayRow

export interface View {
  rows: readonly Row[]
  /** The message that is asked again by "retry", and edited by "edit". */
  last: UserEntry | null
  busy: boolean
  /** The line under the messages. */
  waiting: 'queued' | 'typing' | ''
  replyTo: string
  more: boolean
}

const NONE: readonly never[] = []

/** What is to be seen of a state; rows that stand for the same thing have the same key. */
export function view(state: State): View {
  const working = busy(state)
  const pending = state.outgoing.filter((one) => one.shown)
  const messages = standing(state.messages, state.outgoing)
  const calm = !working && state.outgoing.length === 0
  const last = calm ? lastAsked(messages) : null
  const rows: Row[] = []
  for (const message of messages) {
    if (message.role === 'user') {
      rows.push(userRow(message, message.id === last?.id))
    } else if (message.text || message.files?.length || message.buttons?.length) {
      const rating = state.rated.get(message.id) ?? state.ratings.get(message.id) ?? null
      rows.push({
        kind: 'reply',
        key: state.keys.get(message.id) ?? message.id,
        id: message.id,
        text: message.text ?? '',
        files: message.files ?? NONE,
        buttons: message.buttons ?? NONE,
        suggestions: NONE,
        at: message.at,
        live: false,
        stopped: message.stopped ?? false,
        feedback: message.feedback ?? false,
        rating,
        retryable: false,
        last: false,
      })
    }
  }
  markLast(rows, messages, calm, last !== null)
  for (const one of pending) rows.push(pendingRow(one))
  for (const draft of state.drafts) if (draft.text) rows.push(draftRow(draft.key, draft.text))
  const writing = state.drafts.some((one) => one.text)
  return {
    rows: withDays(rows),
    last,
    busy: working,
    waiting: !working || writing ? '' : state.status?.state === 'queued' ? 'queued' : 'typing',
    replyTo: state.status?.reply_to ?? state.drafts[0]?.replyTo ?? '',
    more: state.more,
  }
}

/** What is on its way takes the place of what it replaces at once. */
function standing(messages: readonly Message[], outgoing: readonly Outgoing[]): readonly Message[] {
  const gone = new Set(outgoing.flatMap(({ replaces }) => removed({ replaces }, messages)))
  return gone.size ? messages.filter((one) => !gone.has(one.id)) : messages
}

function lastAsked(messages: readonly Message[]): UserEntry | null {
  const last = messages.findLast((one) => one.role === 'user')
  return last?.role === 'user' && (last.kind ?? 'message') === 'message' ? last : null
}

function markLast(rows: Row[], messages: readonly Message[], calm: boolean, retryable: boolean): void {
  const row = rows.at(-1)
  if (!row || row.kind === 'day') return
  row.retryable = retryable
  if (row.kind !== 'reply') return
  row.last = true
  const message = messages.at(-1)
  if (calm && message?.role === 'assistant' && message.suggestions) row.suggestions = message.suggestions
}

function userRow(message: UserEntry, editable: boolean): UserRow {
  return {
    kind: 'user',
    key: message.id,
    id: message.id,
    text: message.text ?? '',
    files: message.files ?? NONE,
    at: message.at,
    command: message.kind === 'command',
    state: 'sent',
    reason: '',
    editable,
    retryable: false,
  }
}

function pendingRow(one: Outgoing): UserRow {
  return {
    kind: 'user',
    key: one.id,
    id: one.id,
    text: one.text,
    files: one.files,
    at: one.at,
    command: one.kind === 'command',
    state: one.state,
    reason: one.reason,
    editable: false,
    retryable: false,
  }
}

function draftRow(key: string, text: string): ReplyRow {
  return {
    kind: 'reply',
    key,
    id: '',
    text,
    files: NONE,
    buttons: NONE,
    suggestions: NONE,
    at: 0,
    live: true,
    stopped: false,
    feedback: false,
    rating: null,
    retryable: false,
    last: true,
  }
}

function withDays(rows: readonly Row[]): Row[] {
  const all: Row[] = []
  let day = ''
  for (const row of rows) {
    if (row.at > 0) {
      const its = new Date(row.at * 1000).toDateString()
      if (its !== day) all.push({ kind: 'day', key: its, at: row.at })
      day = its
    }
    all.push(row)
  }
  return all
}
