//! Word lists: names that stemming must not cut, function words, and what gives a language away.

use super::slots::{Slots, place};
use super::word::{Key, Word};
use std::sync::LazyLock;

/// What the lists say of a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Stays whole once stemming reaches it: a name or root that begins or ends like an affix.
    pub protected: bool,
    /// Carries grammar and no topic; counts for stance and language alone.
    pub function: bool,
    /// Which language it speaks for.
    pub hint: Hint,
}

/// What a common word says about the language of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hint {
    /// Nothing: it is not common, or written alike in several languages.
    #[default]
    None,
    /// Arabic.
    Arabic,
    /// English.
    English,
    /// Persian, Urdu, Kurdish, Pashto.
    OtherArabicScript,
    /// French, Turkish, Spanish, German, …
    OtherLatinScript,
}

/// Bits of [`Lexicon::some`], 4 KiB: one word in thirty that is on no list has one set.
const BITS: usize = 1 << 15;

struct Lexicon {
    /// What stands in `entries` has its bit set here. Whoever is asked for here is new, and on no list: the first cache
    /// says so.
    some: Box<[u64; BITS / 64]>,
    entries: Slots<Entry>,
}

impl Lexicon {
    /// The bit of a key: its word of 64 bits, and the place in it.
    #[inline]
    fn bit(key: Key) -> (usize, u32) {
        let bit = place(key, 64 - BITS.trailing_zeros());
        (bit / 64, bit as u32 % 64)
    }
}

static LEXICON: LazyLock<Lexicon> = LazyLock::new(|| {
    let mut lexicon = Slots::<Entry>::with_capacity(2048);
    for word in words(PROTECTED_WORDS) {
        lexicon.entry(word.key()).protected = true;
    }
    let mut hints = std::collections::BTreeMap::new();
    for (list, hint) in [
        (ARABIC_FUNCTION, Hint::Arabic),
        (ENGLISH_FUNCTION, Hint::English),
        (PERSIAN_URDU, Hint::OtherArabicScript),
        (OTHER_LATIN, Hint::OtherLatinScript),
    ] {
        for word in words(list) {
            // a word of two languages speaks for neither
            let known = *hints.entry(word).or_insert(hint);
            lexicon.entry(word.key()).hint = if known == hint { hint } else { Hint::None };
        }
    }
    for word in function_words() {
        lexicon.entry(word.key()).function = true;
    }
    let mut some = Box::new([0; BITS / 64]);
    for key in lexicon.keys() {
        let (at, bit) = Lexicon::bit(key);
        some[at] |= 1 << bit;
    }
    Lexicon { some, entries: lexicon }
});

/// What the lists say of `word`.
#[inline]
pub fn look_up(word: Word) -> Entry {
    let (Lexicon { some, entries }, key) = (&*LEXICON, word.key());
    let (at, bit) = Lexicon::bit(key);
    match some[at] >> bit & 1 {
        0 => Entry::default(),
        _ => entries.get(key),
    }
}

/// All words that carry grammar and no topic.
pub fn function_words() -> impl Iterator<Item = Word> {
    words(ARABIC_FUNCTION).chain(words(ENGLISH_FUNCTION))
}

fn words(list: &str) -> impl Iterator<Item = Word> {
    list.split_whitespace().map(Word::new).filter(|word| !word.is_empty())
}

/// Places and names that light stemming would cut, then roots whose first letter is waw or whose
/// last letters look like a suffix.
const PROTECTED_WORDS: &str = "
فلسطين لبنان السودان سودان ايران باكستان أفغانستان تركمانستان أوزبكستان كازاخستان قيرغيزستان طاجيكستان
عمان اليابان يابان ألمانيا بريطانيا إيطاليا إسبانيا روسيا سوريا ليبيا موريتانيا أوكرانيا بولندا هولندا كندا
إفريقيا آسيا أوروبا أستراليا تركيا الصين صين بكين برلين بوتين لينين ستالين ترامب بايدن واشنطن وارسو البحرين بحرين
اليونان يونان الأرجنتين أرجنتين الفلبين فلبين أوكرانيا تونس بغداد بيروت بلغراد بلجيكا بلغاريا بنغلاديش
نيوزيلندا فنلندا ايرلندا اسكتلندا تايلاند سويسرا السويد قطر اليمن يمن
رمضان إنسان برلمان سرطان مهرجان ميدان طيران بستان بركان حيوان عدوان ديوان عنوان ميزان سلطان بيان مكان زمان
دين قانون تلفزيون مليون بليون تريليون تعاون كربون ليمون زيتون هرمون مجنون صابون سجون فنون ديون عيون
معين تأمين تدخين تكوين تمرين تحسين تخزين تعيين تمكين سكين يقين قوانين ملايين موازين مساكين شرايين براكين
فيتامين أنسولين بنزين بروتين أوكسجين
وزير وزارة وزراء ولاية والي وطن وطني وفد وفود وقت وقف وقوف وصل وصول وضع أوضاع وكالة وكيل وكالات والد والدة واحد وحدة وحدات وثيقة وثائق
وسائل وسيلة وساطة وسط وسيط ورشة وباء وظيفة وظائف وفاة وعي وراثة وراثي وجبة ورق ورقة وردة وزن وشم وصف وصفة وعد وعود وعاء وفاق وقاية وقود
وقائع واقع واقعة واجب واجهة وادي واردات واسع وافد وجود وجه وجهة وحش وداع ودائع ودية ورم ورثة وسام وشاح وطأة وطيس وعورة وفرة
ولد ولادة ولاء وهم وهج وهن ويل ويب
التزام التهاب التفاف التحاق التماس الله الهام الغاء الزام اله الة الف الم امل
نهائي غذائي فضائي نسائي جزائي كهربائي سينمائي
صحة شرطة طاقة جامعة محكمة حكومة";

const ARABIC_FUNCTION: &str = "
في من على إلى عن أن إن أنه أنها إنه إنها هذا هذه ذلك تلك هذان هاتان هؤلاء أولئك التي الذي الذين اللذين اللتين اللواتي
ما لا لم لن لو قد كان كانت كانوا يكون تكون كما لكن لكنه لكنها بل ثم أو أم حتى إذا إذ إذن حيث بين بعد قبل عند عندما منذ خلال
كل بعض أي أية غير سوى فقط أيضا مع معه معها ضد حول دون فوق تحت أمام وراء لدى هو هي هم هن نحن أنا أنت أنتم
به بها بهم له لها لهم لنا لي فيه فيها فيهم منه منها منهم عليه عليها عليهم إليه إليها عنه عنها
وفي ومن وعلى وإلى وأن وإن وهو وهي وهم وكان وكانت وقد ولا ولم ولن وما ومع وعن وهذا وهذه وذلك وأنه وأنها والذي والتي ولكن وبعد وقبل وبين وحتى وكل
فإن فقد فهو فهي فلا فيما مما عما بما لما كلما إنما ربما ليس ليست ليسوا الآن اليوم هنا هناك كيف متى أين لماذا ماذا هل
قال قالت وقال وقالت يقول تقول أضاف وأضاف أضافت وأضافت نحو عدة عبر أكثر أقل جدا مثل نفس نفسه ذات بأن لأن لأنه كذلك
التى الى اكثر او ان اذا ايضا انه انها الان احد أحد إحدى يتم تم وتم حين بينما سوف لقد ذاته عام";

const ENGLISH_FUNCTION: &str = "
the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which you were
there one all their has would will we been who more if no out so said what up its about into than them can only other new
some could time these two may then do first any my now such like our over me even most made after also did many before must
through years where much your way should because each just those people how too very her she him i us against between
being under while during both off down still since until another within without again around however says told according
here when why am does doesnt dont didnt isnt wasnt arent wont cant couldnt wouldnt shouldnt hasnt havent";

const PERSIAN_URDU: &str = "
از را این است به با برای آن شد شده که در تا هم خود دارد دارند کرد کرده کردند می‌شود می‌کند است. بود بوده باید نیز یک دو سال‌های
های ها شود پس هر اگر چه چون همه هیچ ولی اما آنها ایشان گفت گفته می‌گوید داد داده دیگر وی بر روی میان طی
کے کی کا میں سے نے کو اور پر ہے ہیں تھا تھے تھی یہ وہ بھی ان اس جو نہیں ایک کر کرنے گیا گئی ہو ہوئے رہا رہے رہی لیے لئے ساتھ بعد کہ
له چې په د کې او دی دې هغه ته سره یې";

const OTHER_LATIN: &str = "
le la les des une du est dans pour qui que sur avec par pas plus au aux ce cette ces sont ont été leur leurs mais nous vous il elle ils elles en et
ve bir bu için ile da de olarak olan sonra kadar daha gibi çok en göre ise değil ancak oldu olduğu yılında dün bugün türkiye yeni her iki
el los las del por con una como para se su sus más pero fue han este esta entre sobre
der die das und den von ist mit dem nicht ein eine auf für sich auch im werden wurde bei nach wie
il di che della per sono nel alla gli delle anche con non più dei
o os um uma não com na em ao foi são mais dos das pelo pela
het een van niet op zijn voor met aan er ook
yang dan di dengan untuk ini itu dari pada tidak akan dalam";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_on_a_list_if_it_stands_there() {
        let (Lexicon { entries, .. }, words) = (&*LEXICON, words(PROTECTED_WORDS).chain(words(OTHER_LATIN)));
        for word in function_words().chain(words) {
            assert_eq!(look_up(word), entries.get(word.key()));
            assert_ne!(look_up(word), Entry::default(), "{word}");
        }
        // in Arabic and Persian alike: what is on two lists says nothing of the language
        assert_eq!(look_up(Word::new("انتخابات")), Entry::default());
    }

    #[test]
    fn shared_words_speak_for_nobody() {
        let hint = |word| look_up(Word::new(word)).hint;
        assert_eq!(hint("do"), Hint::English);
        assert_eq!(hint("في"), Hint::Arabic);
        assert_eq!(hint("است"), Hint::OtherArabicScript);
        assert_eq!(hint("dans"), Hint::OtherLatinScript);
        assert_eq!(hint("بعد"), Hint::None);
    }
}
