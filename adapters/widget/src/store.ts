import type { Entry, EntryKind, FileInfo, RatingEntry, RatingValue, Status, StreamEvent, UserEntry } from './protocol'

/** A reply as far as it is written. `key` stays the name of its row when the entry comes. */
export interface Draft {
  draft: string
  replyTo: string
  text: string
  key: string
}

/** The visitor's own message until the stream brings it back as an entry. */
export interface Outgoing {
  id: string
  kind: EntryKind
  text: string
  files: FileInfo[]
  replaces: string
  at: number
  state: 'sending' | 'waiting' | 'sent' | 'failed'
  reason: string
  shown: boolean
}

export type Message = Exclude<Entry, RatingEntry>
export type Rating = Pick<RatingEntry, 'value' | 'comment'>

export interface State {
  /** Every entry, by number. */
  log: readonly Entry[]
  /** What is left of the log when what was replaced is gone. */
  messages: readonly Message[]
  ratings: ReadonlyMap<string, Rating>
  /** Ratings that were given here and have not come back yet. */
  rated: ReadonlyMap<string, Rating>
  drafts: readonly Draft[]
  /** The keys of the drafts that entries came out of, by the entry's id. */
  keys: ReadonlyMap<string, string>
  status: Status | null
  outgoing: readonly Outgoing[]
  more: boolean
  /** Entries given since the last reset. */
  given: number
}

/** What another tab needs in order to show the same. */
export type Snapshot = Pick<State, 'log' | 'drafts' | 'status' | 'more' | 'given'>

export type Action =
  | StreamEvent
  | { event: 'clear' }
  | { event: 'adopt'; snapshot: Snapshot }
  | { event: 'earlier'; entries: readonly Entry[]; more: boolean }
  | { event: 'sending'; message: Outgoing }
  | { event: 'progress'; id: string; state: Outgoing['state']; reason?: string; files?: FileInfo[] }
  | { event: 'discard'; id: string }
  | { event: 'rate'; about: string; value: RatingValue; comment: string }
  | { event: 'unrate'; about: string }

/** The server gives this many entries by itself. */
const GIVEN_AT_MOST = 200

export const EMPTY: State = {
  log: [],
  messages: [],
  ratings: new Map(),
  rated: new Map(),
  drafts: [],
  keys: new Map(),
  status: null,
  outgoing: [],
  more: false,
  given: 0,
}

export function reduce(state: State, action: Action): State {
  switch (action.event) {
    case 'clear':
      return EMPTY
    case 'reset':
      return { ...EMPTY, keys: state.keys, outgoing: state.outgoing.filter((one) => one.state !== 'sent') }
    case 'entry':
      return withEntry(state, action.entry)
    case 'draft':
      return withDraft(state, action.piece)
    case 'status':
      return { ...state, status: action.status }
    case 'adopt':
      return adopted(state, action.snapshot)
    case 'earlier':
      return { ...state, ...folded(merged(action.entries, state.log)), more: action.more }
    case 'sending':
      return { ...state, outgoing: [...state.outgoing.filter((one) => one.id !== action.message.id), action.message] }
    case 'progress':
      return {
        ...state,
        outgoing: state.outgoing.map((one) =>
          one.id === action.id
            ? { ...one, state: action.state, reason: action.reason ?? '', files: action.files ?? one.files }
            : one,
        ),
      }
    case 'discard':
      return { ...state, outgoing: state.outgoing.filter((one) => one.id !== action.id) }
    case 'rate':
      return {
        ...state,
        rated: new Map(state.rated).set(action.about, { value: action.value, comment: action.comment }),
      }
    case 'unrate':
      return { ...state, rated: without(state.rated, action.about) }
    case 'bye':
      return state
  }
}

export function snapshot({ log, drafts, status, more, given }: State): Snapshot {
  return { log, drafts, status, more, given }
}

/** Whether a reply is waited for. Drafts tell it until the first status has come. */
export function busy(state: State): boolean {
  return state.status === null ? state.drafts.length > 0 : state.status.state !== 'idle'
}

function withEntry(state: State, entry: Entry): State {
  const log = merged(state.log, [entry])
  const given = state.given + 1
  const more = state.more || (given >= GIVEN_AT_MOST && (log[0]?.seq ?? 1) > 1)
  const next = { ...state, ...folded(log), given, more }
  if (entry.role === 'rating') return { ...next, rated: without(state.rated, entry.about) }
  if (entry.role === 'user') {
    const there = new Set(next.messages.map((one) => one.id))
    const gone = new Set(state.messages.filter((one) => !there.has(one.id)).map((one) => one.id))
    return {
      ...next,
      outgoing: state.outgoing.filter((one) => one.id !== entry.id),
      drafts: state.drafts.filter((one) => !gone.has(one.replyTo)),
    }
  }
  const ended = state.drafts.find((one) => one.replyTo === entry.reply_to)
  if (!ended) return next
  return {
    ...next,
    drafts: state.drafts.filter((one) => one !== ended),
    keys: new Map(state.keys).set(entry.id, ended.key),
  }
}

function withDraft(state: State, piece: { draft: string; reply_to: string; at: number; text: string }): State {
  const before = state.drafts.find((one) => one.replyTo === piece.reply_to)
  const text = piece.at === 0 ? piece.text : (before?.text ?? '') + piece.text
  const key = before?.key ?? `draft ${piece.draft}`
  const draft: Draft = { draft: piece.draft, replyTo: piece.reply_to, text, key }
  const drafts = before
    ? state.drafts.map((one) => (one === before ? draft : one))
    : [...state.drafts, draft]
  return { ...state, drafts }
}

function adopted(state: State, { log, drafts, status, more, given }: Snapshot): State {
  const there = new Set(log.map((one) => one.id))
  const keys = new Map(state.keys)
  for (const draft of state.drafts) {
    const end = log.find((one) => one.role === 'assistant' && one.reply_to === draft.replyTo)
    if (end) keys.set(end.id, draft.key)
  }
  return {
    ...state,
    ...folded(log),
    drafts,
    status,
    more,
    given,
    keys,
    outgoing: state.outgoing.filter((one) => !there.has(one.id)),
  }
}

/** Two runs of entries as one by number, where the second has the say about the same entry. */
function merged(first: readonly Entry[], second: readonly Entry[]): Entry[] {
  const newer = new Set(second.map((one) => one.id))
  const log = [...first.filter((one) => !newer.has(one.id)), ...second]
  const sorted = log.every((one, index) => index === 0 || (log[index - 1]?.seq ?? 0) <= one.seq)
  return sorted ? log : log.sort((a, b) => a.seq - b.seq)
}

function folded(log: readonly Entry[]): Pick<State, 'log' | 'messages' | 'ratings'> {
  const gone = new Set<string>()
  for (const entry of log) if (entry.role === 'user') for (const id of removed(entry, log)) gone.add(id)
  const messages: Message[] = []
  const ratings = new Map<string, Rating>()
  for (const entry of log) {
    if (gone.has(entry.id)) continue
    if (entry.role === 'rating') ratings.set(entry.about, { value: entry.value, comment: entry.comment ?? '' })
    else messages.push(entry)
  }
  return { log, messages, ratings }
}

/** The ids of what goes because of a message: what the server says, or as far as the page knows. */
export function removed({ replaces, removes }: Pick<UserEntry, 'replaces' | 'removes'>, among: readonly Entry[]): readonly string[] {
  if (removes || !replaces) return removes ?? []
  return [replaces, ...among.filter((one) => one.role === 'assistant' && one.reply_to === replaces).map((one) => one.id)]
}

function without<V>(map: ReadonlyMap<string, V>, key: string): ReadonlyMap<string, V> {
  if (!map.has(key)) return map
  const copy = new Map(map)
  copy.delete(key)
  return copy
}
