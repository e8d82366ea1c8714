// The words of the interface in both languages.
"use strict";

const EN = {
  title: "Rasid: live board",
  skip: "Skip to the latest articles",
  figures: "Figures",
  rate: "Articles per second",
  lag: "Waiting to be tagged",
  minutes: "Articles in the last hour",
  unsure: "Without a topic",
  refused: "Dead letters",
  assigned: "Partitions",
  inFlight: n => `${n} in flight`,
  oldest: age => `the oldest for ${age}`,
  inAll: n => `${n} in all`,
  share: n => `${n} of the last hour`,
  minute: "last minute",
  since: "since the start",
  mine: "of this worker",
  topics: "Topics and stance",
  hour: "last hour",
  noTopic: "No topic",
  noStance: "no stance",
  empty: "No articles yet. They appear here as soon as they are tagged.",
  more: n => `Show all ${n}`,
  less: "Show fewer",
  latest: "Latest articles",
  pause: "Pause",
  resume: "Resume",
  untitled: "(no title)",
  words: "Words that carried the first topic:",
  confidence: "confidence",
  toward: "toward",
  "low confidence": "not sure enough",
  language: "language not known to the model",
  languages: "Languages",
  other: "other languages",
  letters: "Dead letters",
  noLetters: "None. Every record could be read.",
  encoding: "not text in its encoding",
  json: "broken JSON",
  field: "a field holds no text",
  no_text: "nothing to read",
  too_large: "too large for the output",
  internal: "internal error",
  shadow: "Shadow model",
  compared: "Articles compared",
  sameTopic: "Same topic",
  sameStance: "Same stance",
  least: "Topics with the least agreement",
  sameOf: (share, n) => `${share} of ${n}`,
  resting: "It is the model itself: nothing to compare.",
  model: "Model",
  name: "Name",
  version: "Version",
  examples: "Examples",
  knows: "Languages",
  sha256: "SHA-256",
  validated: "Cross-validated on the examples",
  task: "Task",
  accuracy: "Accuracy",
  f1: "Macro-F1",
  ece: "Calib. error",
  topic: "topic",
  stance: "stance",
  topicNames: "Names of the Media Topics:",
  live: "live",
  paused: "list paused",
  waiting: "not ready:",
  stalled: "stalled:",
  connecting: "connecting…",
  gone: "no answer from the worker; trying again",
  full: "too many viewers; updated every 5 seconds",
  theme: "Theme:",
  auto: "auto",
  light: "light",
  dark: "dark",
  switch: "العربية",
};

const AR = {
  title: "راصد: اللوحة المباشرة",
  skip: "الانتقال إلى أحدث المقالات",
  figures: "الأرقام",
  rate: "مقالات في الثانية",
  lag: "بانتظار التصنيف",
  minutes: "مقالات الساعة الأخيرة",
  unsure: "بلا موضوع",
  refused: "سجلات مرفوضة",
  assigned: "الأقسام",
  inFlight: n => `قيد المعالجة: ${n}`,
  oldest: age => `أقدمها منذ ${age}`,
  inAll: n => `المجموع ${n}`,
  share: n => `${n} من الساعة الأخيرة`,
  minute: "الدقيقة الأخيرة",
  since: "منذ التشغيل",
  mine: "لدى هذا العامل",
  topics: "المواضيع والمواقف",
  hour: "الساعة الأخيرة",
  noTopic: "بلا موضوع",
  noStance: "بلا موقف",
  empty: "لا مقالات بعد. تظهر هنا فور تصنيفها.",
  more: n => `عرض الكل (${n})`,
  less: "عرض أقل",
  latest: "أحدث المقالات",
  pause: "إيقاف مؤقت",
  resume: "متابعة",
  untitled: "(بلا عنوان)",
  words: "الكلمات التي رجّحت الموضوع الأول:",
  confidence: "الثقة",
  toward: "تجاه",
  "low confidence": "الثقة غير كافية",
  language: "لغة لا يعرفها النموذج",
  languages: "اللغات",
  other: "لغات أخرى",
  letters: "السجلات المرفوضة",
  noLetters: "لا شيء. كل السجلات قُرئت.",
  encoding: "ليس نصًّا بترميزه",
  json: "‏JSON معطوب",
  field: "حقل لا يحمل نصًّا",
  no_text: "لا نصّ فيه",
  too_large: "أكبر من حدّ الإخراج",
  internal: "خطأ داخلي",
  shadow: "النموذج الظلّ",
  compared: "مقالات قورنت",
  sameTopic: "الموضوع نفسه",
  sameStance: "الموقف نفسه",
  least: "المواضيع الأقل توافقًا",
  sameOf: (share, n) => `${share} من ${n}`,
  resting: "هو النموذج نفسه: لا شيء يُقارَن.",
  model: "النموذج",
  name: "الاسم",
  version: "الإصدار",
  examples: "الأمثلة",
  knows: "اللغات",
  sha256: "‏SHA-256",
  validated: "تحقّق متقاطع على الأمثلة",
  task: "المهمة",
  accuracy: "الدقة",
  f1: "متوسط F1",
  ece: "خطأ المعايرة",
  topic: "موضوع",
  stance: "موقف",
  topicNames: "أسماء المواضيع:",
  live: "مباشر",
  paused: "القائمة متوقفة مؤقتًا",
  waiting: "غير جاهز:",
  stalled: "متعثّر:",
  connecting: "جارٍ الاتصال…",
  gone: "لا جواب من راصد، وتُعاد المحاولة",
  full: "المشاهدون كثر، والتحديث كل ٥ ثوانٍ",
  theme: "المظهر:",
  auto: "تلقائي",
  light: "فاتح",
  dark: "داكن",
  switch: "English",
};

const WORDS = { en: EN, ar: AR };

// What a viewer chose; private windows forget it.
export const recall = key => { try { return localStorage.getItem(`rasid.${key}`); } catch { return null; } };
export const keep = (key, value) => { try { localStorage.setItem(`rasid.${key}`, value); } catch { /* forgotten */ } };

// The language chosen, else the first of the browser's that is one of ours.
export const preferred = () =>
  [recall("language"), ...navigator.languages].map(tag => tag?.slice(0, 2)).find(code => code in WORDS) ?? "en";

export const ui = { code: "en", words: EN };

// Numbers as the browser's own region writes them, where it is of this language.
let formats = {};
export const speak = code => {
  const locale = navigator.languages?.find(tag => tag.startsWith(code)) ?? code;
  const number = options => new Intl.NumberFormat(locale, options);
  formats = {
    whole: number({ maximumFractionDigits: 0 }),
    tenth: number({ maximumFractionDigits: 1 }),
    percent: number({ style: "percent", maximumFractionDigits: 0 }),
    fine: number({ style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 }),
    clock: new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }),
    ages: ["second", "minute", "hour"].map(unit => number({ style: "unit", unit, unitDisplay: "short", maximumFractionDigits: 0 })),
    language: new Intl.DisplayNames([locale], { type: "language" }),
  };
  ui.code = code;
  ui.words = WORDS[code];
};

export const whole = value => formats.whole.format(value);
export const rate = value => (value < 10 ? formats.tenth : formats.whole).format(value);
export const percent = value => formats.percent.format(value);
// A probability: never quite certain.
export const sure = value => (value > 0.995 ? `>${percent(0.99)}` : percent(value));
export const fine = value => formats.fine.format(value);
export const age = seconds => {
  const step = seconds < 120 ? 0 : seconds < 7200 ? 1 : 2;
  return formats.ages[step].format(seconds / 60 ** step);
};
export const clock = time => {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? "" : formats.clock.format(date);
};
export const languageName = code => {
  if (code === "und") return ui.words.other;
  try { return formats.language.of(code) ?? code; } catch { return code; }
};
// The name of a label of the model's.
export const labelName = label => (ui.code === "ar" ? label.name_ar : label.name) || label.name || label.code;
