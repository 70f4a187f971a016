/** What the server says and is told; PROTOCOL.md describes it. */

export interface FileInfo {
  id: string
  name: string
  type: string
  size: number
  url: string
}

export interface ReplyButton {
  label: string
  id?: string
  value?: string
  url?: string
  style?: string
}

export type EntryKind = 'message' | 'command' | 'action'

export interface UserEntry {
  seq: number
  id: string
  at: number
  role: 'user'
  kind?: EntryKind
  text?: string
  files?: FileInfo[]
  replaces?: string
  /** The ids of the entries that are gone because of it. */
  removes?: string[]
}

export interface AssistantEntry {
  seq: number
  id: string
  at: number
  role: 'assistant'
  reply_to?: string
  text?: string
  buttons?: ReplyButton[]
  suggestions?: string[]
  files?: FileInfo[]
  feedback?: boolean
  stopped?: boolean
}

export type RatingValue = 'positive' | 'negative'

export interface RatingEntry {
  seq: number
  id: string
  at: number
  role: 'rating'
  about: string
  value: RatingValue
  comment?: string
}

export type Entry = UserEntry | AssistantEntry | RatingEntry

export interface Status {
  state: 'idle' | 'queued' | 'working'
  reply_to?: string
}

export interface DraftPiece {
  draft: string
  reply_to: string
  at: number
  text: string
}

export type StreamEvent =
  | { event: 'reset' }
  | { event: 'entry'; entry: Entry }
  | { event: 'draft'; piece: DraftPiece }
  | { event: 'status'; status: Status }
  | { event: 'bye' }

export interface Limits {
  text: number
  file_bytes: number
  files: number
  file_types: string[]
}

export interface SessionAnswer {
  session: string
  token: string
  expires_at: number
  identified: boolean
  bot: { commands: { name: string; description?: string }[]; human: boolean }
  limits: Limits
}

export interface Page {
  entries: Entry[]
  more: boolean
}

/** The body of `POST /web/messages`; what is empty is left out. */
export interface OutgoingBody {
  id: string
  kind: EntryKind | 'stop' | 'start'
  text?: string
  files?: string[]
  replaces?: string
  name?: string
  value?: string
  label?: string
  about?: string
  locale?: string
}

/** One server-sent event as what it means; null for events of a later protocol. */
export function streamEvent(name: string, data: string): StreamEvent | null {
  switch (name) {
    case 'reset':
    case 'bye':
      return { event: name }
    case 'entry':
      return { event: 'entry', entry: JSON.parse(data) as Entry }
    case 'draft':
      return { event: 'draft', piece: JSON.parse(data) as DraftPiece }
    case 'status':
      return { event: 'status', status: JSON.parse(data) as Status }
    default:
      return null
  }
}
