//! What the bot has to answer, and what it has to know of a chat.

/// What the bot knows of a chat.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Chat {
    count: u32,
    dialogue: Dialogue,
    /// A language and an hour.
    settings: Option<(String, u8)>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
enum Dialogue {
    #[default]
    Nothing,
    Language,
    Hour(String),
}

impl Chat {
    /// What the bot answers, and what it knows afterwards.
    pub(crate) fn hear(&self, text: &str) -> (String, Self) {
        let mut chat = self.clone();
        let answer = match (&self.dialogue, text) {
            (Dialogue::Language, language) => {
                chat.dialogue = Dialogue::Hour(language.to_owned());
                "At which hour may I write to you?".to_owned()
            }
            (Dialogue::Hour(language), hour) => match hour.parse().ok().filter(|hour| *hour < 24) {
                None => "An hour is a number below 24.".to_owned(),
                Some(hour) => {
                    chat.settings = Some((language.clone(), hour));
                    chat.dialogue = Dialogue::Nothing;
                    "I keep that in mind.".to_owned()
                }
            },
            (_, "/count") => {
                chat.count += 1;
                format!("That is {}.", chat.count)
            }
            (_, "/settings") => {
                chat.dialogue = Dialogue::Language;
                "Which language do you speak?".to_owned()
            }
            (_, "/forget") => {
                chat = Self::default();
                "I know nothing of you any more.".to_owned()
            }
            _ => match &self.settings {
                Some((language, hour)) => {
                    format!("You counted to {}, and speak {language} at {hour}.", self.count)
                }
                None => "Send /count, /settings, /forget or /stats.".to_owned(),
            },
        };
        (answer, chat)
    }
}
